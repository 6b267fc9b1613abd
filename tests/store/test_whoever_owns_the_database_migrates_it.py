"""No superuser is needed: an administrator with CREATEROLE, or a plain owner whatever roles there are."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from ledger.errors import LedgerError, Unavailable
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import bring_up
from ledger.store.diagnosis import Diagnosis
from projections.inline import rebuild
from tests.store.controls import ROLES, look_at

Execute = Callable[[str], None]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, since roles are shared by all ledgers of one."""
    embedded = EmbeddedServer(tmp_path_factory.mktemp("cluster"))
    embedded.start()
    yield embedded.conninfo()
    embedded.stop()


@pytest.fixture
def execute(cluster: str) -> Iterator[Execute]:
    """Statements of a superuser; at the end no role of the ledger, database or login of the test is left."""
    connection = psycopg.connect(cluster, autocommit=True)

    def execute(statement: str) -> None:
        connection.execute(statement)

    yield execute
    for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'l\\_%'").fetchall():
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    names = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'boss%' OR rolname LIKE 'plain%' OR rolname LIKE 'jobl%'"
    for (name,) in connection.execute(names).fetchall():
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")
    connection.close()


def _owned(cluster: str, execute: Execute, owner: str, rights: str = "") -> str:
    """The conninfo of an owner in a database of his own."""
    name = f"l_{uuid.uuid4().hex[:8]}"
    with suppress(psycopg.errors.DuplicateObject):
        execute(f"CREATE ROLE {owner} LOGIN {rights}")
    execute(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0")
    return make_conninfo(cluster, dbname=name, user=owner)


def _wrong(conninfo: str) -> list[Diagnosis]:
    with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as connection:
        return [each for each in look_at(connection) if each.level != "ok"]


def _works(conninfo: str) -> None:
    """The owner records, asks and builds the views anew."""
    with assemble(conninfo) as ledger:
        assert ledger.plan("T", job="a", entities=[{"type": "vm", "id": "1"}]).disposition
        assert ledger.busy("vm/1").busy
        assert ledger.search("job:a").page().entries
    with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as connection:
        assert rebuild.rebuild(connection)


def test_an_administrator_with_createrole_gets_all_of_it(cluster: str, execute: Execute) -> None:
    """As on managed servers, where nobody is a superuser; who made the roles may act as them."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")

    bring_up(conninfo)
    assert bring_up(conninfo) == []

    assert _wrong(conninfo) == []
    _works(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for role in ROLES:
            connection.execute(f"SET ROLE {role}")
            connection.execute("RESET ROLE")
            rights = connection.execute("SELECT pg_has_role(%s, 'USAGE')", (role,)).fetchall()
            assert rights == [(True,)]


def test_a_plain_owner_finds_the_roles_made_before(cluster: str, execute: Execute) -> None:
    """He is in none of them, and grants them what they must have."""
    for role in ROLES:
        execute(f"CREATE ROLE {role} NOLOGIN")
    conninfo = _owned(cluster, execute, "plain")

    bring_up(conninfo)

    assert _wrong(conninfo) == []
    _works(conninfo)


def test_a_plain_owner_is_told_who_makes_the_roles(cluster: str, execute: Execute) -> None:
    """Without them the ledger works; once they are there, the next migration gives them what they must have."""
    conninfo = _owned(cluster, execute, "plain")
    said: list[str] = []

    bring_up(conninfo, say=said.append)

    assert "The role jobledger_writer is missing, and plain lacks CREATEROLE to make it" in said[0]
    assert len(said) == len(ROLES)
    assert [each.code for each in _wrong(conninfo)] == ["roles"]
    _works(conninfo)
    for role in ROLES:
        execute(f"CREATE ROLE {role} NOLOGIN")
    bring_up(conninfo)
    assert _wrong(conninfo) == []


def test_some_of_the_roles_are_given_what_is_theirs(cluster: str, execute: Execute) -> None:
    """A role that is missing keeps nothing from the others; without a sealer, who writes seals."""
    for role in ("jobledger_writer", "jobledger_reader"):
        execute(f"CREATE ROLE {role} NOLOGIN")
    conninfo = _owned(cluster, execute, "plain")

    bring_up(conninfo)

    assert [each.code for each in _wrong(conninfo)] == ["roles"]
    with psycopg.connect(conninfo) as connection:
        asked = "SELECT has_column_privilege('jobledger_writer', 'ledger.stored_events', 'state', 'INSERT')"
        assert connection.execute(asked).fetchall() == [(True,)]
        asked = "SELECT has_column_privilege('jobledger_writer', 'ledger.checkpoints', 'note', 'INSERT')"
        assert connection.execute(asked).fetchall() == [(True,)]


def test_a_second_ledger_in_the_cluster_has_another_owner(cluster: str, execute: Execute) -> None:
    """Who may not grant the roles that another made grants to them all the same."""
    first = _owned(cluster, execute, "boss", "CREATEROLE")
    second = _owned(cluster, execute, "boss2", "CREATEROLE")

    bring_up(first)
    bring_up(second)

    for conninfo in (first, second):
        assert _wrong(conninfo) == []
        _works(conninfo)


def test_who_may_act_as_the_owner_migrates_for_him(cluster: str, execute: Execute) -> None:
    """Without a right on the database, and without having the owner's rights by itself."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    bring_up(conninfo)
    execute("CREATE ROLE plain LOGIN NOINHERIT")
    execute("GRANT boss TO plain")

    assert bring_up(make_conninfo(conninfo, user="plain")) == []


@pytest.mark.parametrize(
    ("user", "named"),
    [
        (
            "plain",
            "The ledger belongs to the role boss, which plain may not act as; migrate as that role, or GRANT boss TO",
        )
    ],
)
def test_who_may_not_is_told_the_role(cluster: str, execute: Execute, user: str, named: str) -> None:
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    bring_up(conninfo)
    execute(f"CREATE ROLE {user} LOGIN")

    with pytest.raises(LedgerError, match=named):
        bring_up(make_conninfo(conninfo, user=user))


def test_who_lacks_a_right_on_the_database_is_told_it(cluster: str, execute: Execute) -> None:
    conninfo = _owned(cluster, execute, "boss")
    execute("CREATE ROLE plain LOGIN")

    with pytest.raises(LedgerError, match="the role plain lacks the right CREATE on the database l_"):
        bring_up(make_conninfo(conninfo, user="plain"))


def test_a_database_in_another_encoding_is_refused(cluster: str, execute: Execute) -> None:
    """Before anything is made, with the name of the encoding."""
    execute("CREATE DATABASE l_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    conninfo = make_conninfo(cluster, dbname="l_latin")

    with pytest.raises(Unavailable, match="must keep text as UTF8, and keeps it as LATIN1"):
        bring_up(conninfo)

    with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as connection:
        assert connection.execute("SELECT to_regnamespace('ledger') AS made").fetchall() == [{"made": None}]
        assert [each.level for each in look_at(connection) if each.code == "encoding"] == ["error"]


def test_an_order_that_has_changed_is_told(cluster: str, execute: Execute) -> None:
    """By the version of the collation that the database was made with."""
    name = "l_sorted"
    execute(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
    conninfo = make_conninfo(cluster, dbname=name)
    assert [each for each in _wrong(conninfo) if each.code == "collation"] == []
    execute(f"UPDATE pg_database SET datcollversion = '0' WHERE datname = '{name}'")

    found = [each for each in _wrong(conninfo) if each.code == "collation"]

    assert [each.level for each in found] == ["warning"]
    assert f"ALTER DATABASE {name} REFRESH COLLATION VERSION" in found[0].sentence


def test_no_index_is_in_the_order_of_the_database(superuser: str) -> None:
    """Which may change beneath it: then it misses rows, and what is unique comes twice."""
    with psycopg.connect(superuser) as connection:
        found = connection.execute("""
            SELECT indexrelid::regclass::text
            FROM pg_index
            JOIN pg_class ON pg_class.oid = indexrelid
            CROSS JOIN LATERAL unnest(indcollation::oid[]) AS used (oid)
            WHERE
                relnamespace IN ('ledger'::regnamespace, 'projections'::regnamespace, 'history'::regnamespace)
                AND used.oid NOT IN (0, '"C"'::regcollation)
        """).fetchall()

    assert found == []


OTHERS = (
    "TABLE ledger.stored_events", "TABLE ledger.leases", "TABLE ledger.migrations", "TABLE projections.told",
    "TABLE history.entries", "VIEW projections.job_expiry", "VIEW ledger.gate", "SEQUENCE ledger.append_time",
    "FUNCTION ledger.swap_rebuild()", "FUNCTION ledger.place_append()", "TYPE ledger.stored_event_text",
    "SCHEMA projections", "SCHEMA projections_rebuild", "SCHEMA history",
)  # fmt: skip


@pytest.mark.parametrize("thing", OTHERS)
def test_what_belongs_to_another_is_put_right(cluster: str, execute: Execute, thing: str) -> None:
    """By whoever may do it; whoever may not is told who has to say what, as by doctor before."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    bring_up(conninfo)
    admin = make_conninfo(conninfo, user=_user(cluster))
    superuser = _user(admin)
    _say(admin, f"ALTER {thing} OWNER TO {superuser}")
    remedy = f"let a superuser run jobledger migrate, or say ALTER {thing} OWNER TO boss."

    named = [each for each in _wrong(conninfo) if each.code == "owners"]
    with pytest.raises(Unavailable) as refused:
        bring_up(conninfo)
    said: list[str] = []
    bring_up(admin, say=said.append)

    what = thing.partition(" ")
    sentence = f"The {what[0].lower()} {what[2]} belongs to {superuser}, and must belong to boss; {remedy}"
    assert [each.sentence for each in named] == [sentence]
    assert str(refused.value) == sentence
    assert said[0] == f"To boss belongs again: {what[0].lower()} {what[2]}."
    assert _wrong(conninfo) == []
    _works(conninfo)


def test_a_member_of_both_puts_it_right(cluster: str, execute: Execute) -> None:
    """Of what another than a superuser had, where nothing was planted; what is of a rebuild goes."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    bring_up(conninfo)
    execute("CREATE ROLE plain LOGIN")
    execute("CREATE ROLE plain2 LOGIN")
    admin = make_conninfo(conninfo, user=_user(cluster))
    _say(admin, "ALTER TABLE projections.told OWNER TO plain", "CREATE TABLE projections_rebuild.job_status ()",
         "ALTER TABLE projections_rebuild.job_status OWNER TO plain", "ALTER SCHEMA ledger OWNER TO boss")  # fmt: skip

    with pytest.raises(Unavailable, match="let a superuser, or a member of both plain and boss, run jobledger migrate"):
        bring_up(conninfo)
    execute("GRANT boss, plain TO plain2")
    bring_up(make_conninfo(conninfo, user="plain2"))

    assert _wrong(conninfo) == []
    _works(conninfo)


def test_a_role_of_the_ledger_owns_nothing(cluster: str, execute: Execute) -> None:
    """Not even its schema, which goes back to whom the events belong to."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    bring_up(conninfo)
    admin = make_conninfo(conninfo, user=_user(cluster))
    _say(admin, "ALTER SCHEMA ledger OWNER TO jobledger_writer")

    bring_up(admin)

    assert _wrong(conninfo) == []
    _works(conninfo)


def test_a_schema_that_was_given_away_is_told_of(cluster: str, execute: Execute) -> None:
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    bring_up(conninfo)
    execute("CREATE ROLE plain LOGIN")
    admin = make_conninfo(conninfo, user=_user(cluster))
    _say(admin, "ALTER SCHEMA ledger OWNER TO plain")

    with pytest.raises(Unavailable, match="let a superuser say ALTER SCHEMA ledger OWNER TO boss"):
        bring_up(conninfo)


def test_an_append_over_a_table_of_another_is_told_whose_it_is(cluster: str, execute: Execute) -> None:
    """No grant would mend it, so none is named."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    bring_up(conninfo)
    admin = make_conninfo(conninfo, user=_user(cluster))

    with assemble(conninfo) as ledger:
        _say(admin, f"ALTER TABLE ledger.stored_events OWNER TO {_user(admin)}")
        with pytest.raises(LedgerError, match=r"The table ledger\.stored_events belongs to") as raised:
            ledger.plan("T", job="a")

    assert "grant it" not in str(raised.value)


@pytest.mark.parametrize("where", ["", "IN SCHEMA projections "])
@pytest.mark.parametrize("grantee", ["PUBLIC", "jobledger_reader", "plain"])
def test_nobody_is_promised_rights(cluster: str, execute: Execute, where: str, grantee: str) -> None:
    """Neither by the owner, nor by a role of the ledger; doctor names it."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    execute("CREATE ROLE plain LOGIN")
    bring_up(conninfo)
    _say(conninfo, f"ALTER DEFAULT PRIVILEGES {where}GRANT SELECT, DELETE ON TABLES TO {grantee}",
         f"ALTER DEFAULT PRIVILEGES {where}GRANT EXECUTE ON FUNCTIONS TO {grantee}",
         f"ALTER DEFAULT PRIVILEGES {where}GRANT USAGE ON SEQUENCES TO {grantee}")  # fmt: skip
    said: list[str] = []

    named = [each for each in _wrong(conninfo) if each.code == "privileges"]
    bring_up(conninfo, say=said.append)

    assert named
    assert all("run jobledger migrate, or revoke it" in each.sentence for each in named)
    assert f"no longer gives DELETE, SELECT on tables to {grantee}." in " ".join(said)
    assert _wrong(conninfo) == []
    assert bring_up(conninfo) == []


def test_a_migration_says_what_it_mended(cluster: str, execute: Execute) -> None:
    """Each role that it made, and what it granted and revoked; nothing where there was nothing to mend."""
    conninfo = _owned(cluster, execute, "boss", "CREATEROLE")
    said: list[str] = []
    bring_up(conninfo, say=said.append)
    made = [f"The role {role} was missing, and is made; grant it to whom it is for." for role in ROLES]
    assert sorted(said) == sorted(made)
    _say(conninfo, "REVOKE SELECT ON ledger.leases FROM jobledger_reader", "GRANT DELETE ON ledger.topics TO PUBLIC")

    said.clear()
    bring_up(conninfo, say=said.append)
    assert said == [
        "To jobledger_reader was granted SELECT on table ledger.leases.",
        "From PUBLIC was revoked DELETE on table ledger.topics.",
    ]

    said.clear()
    bring_up(conninfo, say=said.append)
    assert said == []


@pytest.mark.parametrize(("limited", "named"), [("DATABASE {0}", "ALTER DATABASE"), ("ROLE plain", "ALTER ROLE")])
def test_a_limit_of_connections_has_its_own_words(cluster: str, execute: Execute, limited: str, named: str) -> None:
    conninfo = _owned(cluster, execute, "plain")
    execute(f"ALTER {limited.format(conninfo_to_dict(conninfo)['dbname'])} CONNECTION LIMIT 0")

    with pytest.raises(LedgerError, match="CONNECTION LIMIT has it") as raised:
        bring_up(conninfo)

    assert named in str(raised.value)
    assert "max_connections" not in str(raised.value)


def _say(conninfo: str, *statements: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _user(conninfo: str) -> str:
    return str(conninfo_to_dict(conninfo)["user"])
