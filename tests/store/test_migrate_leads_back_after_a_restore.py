"""Whatever part of a ledger came back, `migrate` makes a working one of it; before, `doctor` names what is missing."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from ledger.application import Ledger
from ledger.errors import IntegrityFailure, Unavailable, ViewBehind
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.embedded.binaries import binaries
from ledger.service.readiness import bring_up, migrator
from ledger.store.connection import connect
from ledger.store.diagnosis import Diagnosis
from projections.inline import rebuild
from tests.readme import blocks
from tests.recovery.facts import until
from tests.store.controls import ROLES, as_role, look_at

WRITER = "-c role=jobledger_writer"
KEY = "+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def _run(program: str, *words: str, said: bytes = b"") -> bytes:
    done = subprocess.run((str(binaries() / program), *words), input=said, capture_output=True, check=False)
    assert program != "pg_dump" or done.returncode == 0, done.stderr
    return done.stdout


def _fill(ledger: Ledger) -> None:
    ledger.plan("T", job="a", actor="alice", entities=[{"type": "vm", "id": "1"}])
    ledger.plan("T", job="b", actor="alice")
    ledger.succeed("b")
    assert len(ledger.search("actor:alice").page().entries) == 3


def _wrong(conninfo: str) -> list[Diagnosis]:
    with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as connection:
        found = look_at(connection)
    return [each for each in found if each.level != "ok" and each.code != "superuser"]


def _works(conninfo: str, position: int = 4) -> None:
    """Everything is there that was, and goes on at the next position."""
    assert _wrong(conninfo) == []
    with assemble(make_conninfo(conninfo, options=WRITER)) as ledger:
        assert ledger.plan("T", job="c").position == position
        assert [job.job for job in ledger.busy("vm/1").jobs] == ["a"]
        assert len(ledger.search("actor:alice").page().entries) == 3
    with connect(conninfo) as connection:
        assert not any(rebuild.compare(connection).values())


def _execute(conninfo: str, *statements: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _identity(conninfo: str) -> str:
    with psycopg.connect(conninfo) as connection:
        return str(connection.execute("SELECT ledger FROM ledger.identity").fetchall()[0][0])


def _seal_by_hand(conninfo: str) -> None:
    """A key on record, as the first seal puts it there: from then on the ledger's name is on what was signed."""
    _execute(
        conninfo,
        "INSERT INTO ledger.seal_keys (verifier_key) SELECT 'jobledger/' || ledger || '"
        + KEY
        + "' FROM ledger.identity",
    )


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (
            "DROP SCHEMA projections, history CASCADE",
            "The table projections.job_status is missing; run jobledger migrate",
        ),
        ("DROP SCHEMA projections, projections_rebuild CASCADE", "The schema projections_rebuild is missing"),
        ("DROP SCHEMA history CASCADE", "The table history.entries is missing; run jobledger migrate"),
        ("DROP VIEW projections.job_expiry", "The view projections.job_expiry is missing; run jobledger migrate"),
        ("DROP TABLE projections.tracking", "The table projections.tracking is missing; run jobledger migrate"),
        ("DROP TABLE history.tracking", "The table history.tracking is missing; run jobledger migrate"),
        ("DROP INDEX projections.job_status_token", "The index projections.job_status_token is missing; run jobledger"),
        (
            "ALTER TABLE projections.running_jobs DROP COLUMN since",
            "The column projections.running_jobs.since is missing",
        ),
        ("TRUNCATE projections.job_status", "The views have no rows, though"),
        ("UPDATE projections.tracking SET position = 77", "ahead of the ledger"),
        ("UPDATE history.tracking SET position = 77", "ahead of the ledger"),
    ],
)
def test_views_that_are_not_whole_are_made_anew(superuser: str, ledger: Ledger, damage: str, named: str) -> None:
    _fill(ledger)
    ledger.close()
    _execute(superuser, damage)

    found = _wrong(superuser)
    bring_up(superuser)

    assert any(named in each.sentence for each in found), found
    _works(superuser)


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL; ALTER TABLE ledger.stored_events ENABLE TRIGGER ALL",
        "ALTER TABLE ledger.tiles DISABLE TRIGGER ALL",
        "REVOKE ALL ON ALL TABLES IN SCHEMA ledger, projections, history FROM jobledger_reader, jobledger_writer",
        "REVOKE ALL ON SCHEMA ledger FROM jobledger_projector",
        "REVOKE EXECUTE ON FUNCTION ledger.read_json(bytea) FROM PUBLIC",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger TO PUBLIC",
        "GRANT UPDATE, DELETE ON ledger.stored_events TO jobledger_writer",
        "GRANT INSERT (recorded_at) ON ledger.stored_events TO PUBLIC",
        "GRANT SELECT ON ledger.stored_events TO jobledger_reader WITH GRANT OPTION",
        "ALTER TABLE ledger.leases OWNER TO jobledger_projector",
        "ALTER FUNCTION ledger.take_append_lock() OWNER TO jobledger_projector",
        "ALTER SEQUENCE ledger.append_time OWNER TO jobledger_projector",
        "ALTER SEQUENCE ledger.seal_keys_number_seq RESTART",
        "TRUNCATE ledger.identity",
        "DROP TRIGGER place_append ON ledger.stored_events",
        "DROP TRIGGER take_identity ON ledger.identity; DROP TRIGGER refuse_forged_tile ON ledger.tiles",
        "ALTER TABLE ledger.stored_events DROP CONSTRAINT stored_events_pkey",
        "ALTER TABLE ledger.tiles DROP CONSTRAINT tiles_level_check",
        "DROP INDEX ledger.stored_events_notification_id_idx",
    ],
)
def test_what_migrations_made_is_put_back(superuser: str, ledger: Ledger, damage: str) -> None:
    """Triggers, grants, owners, sequences and the name of the ledger."""
    _fill(ledger)
    _seal_by_hand(superuser)
    was = _identity(superuser)
    _execute(superuser, damage)

    found = _wrong(superuser)
    bring_up(superuser)

    assert found
    _works(superuser)
    assert _identity(superuser) == was


def test_nothing_that_others_planted_is_taken_over(superuser: str) -> None:
    """An owner would run with his rights what another wrote."""
    _execute(
        superuser,
        "ALTER TABLE ledger.leases OWNER TO jobledger_projector",
        "CREATE FUNCTION ledger.evil() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER FUNCTION ledger.evil() OWNER TO jobledger_projector",
    )

    with pytest.raises(Exception, match=r"ledger.evil\(\) is not as it was made; see jobledger doctor"):
        migrator().migrate(superuser)


def test_a_dump_of_the_events_alone_is_a_ledger(superuser: str, ledger: Ledger, empty_database: str) -> None:
    _fill(ledger)
    was = _identity(superuser)
    dumped = _run("pg_dump", "--format=custom", "--schema=ledger", superuser)

    _run("pg_restore", f"--dbname={empty_database}", said=dumped)
    found = _wrong(empty_database)
    bring_up(empty_database)

    assert "The schema history is missing; run jobledger migrate, which makes the views anew." in [
        each.sentence for each in found
    ]
    _works(empty_database)
    assert _identity(empty_database) == was


def test_a_dump_of_the_views_alone_is_not_believed(superuser: str, ledger: Ledger, empty_database: str) -> None:
    _fill(ledger)
    dumped = _run("pg_dump", "--format=custom", "--schema=projections", "--schema=history", superuser)

    _run("pg_restore", f"--dbname={empty_database}", said=dumped)
    bring_up(empty_database)

    assert _wrong(empty_database) == []
    with assemble(make_conninfo(empty_database, options=WRITER)) as fresh:
        assert not fresh.busy("vm/1").busy
        assert fresh.plan("T", job="a").position == 1


@pytest.mark.parametrize("switched_off", [(), ("--disable-triggers",)])
@pytest.mark.parametrize("sealed", [False, True])
def test_rows_alone_come_into_a_migrated_database(
    superuser: str, ledger: Ledger, second: str, switched_off: tuple[str, ...], *, sealed: bool
) -> None:
    """The name of the ledger comes with them; where triggers were off, by what is sealed."""
    if switched_off and not sealed:
        return  # nothing that was signed bears the name, and the restore could not bring it
    _fill(ledger)
    if sealed:
        _seal_by_hand(superuser)
    was = _identity(superuser)
    owner = make_conninfo(second, options="")
    dumped = _run("pg_dump", "--format=custom", "--data-only", superuser)

    _run("pg_restore", f"--dbname={owner}", "--data-only", *switched_off, said=dumped)
    bring_up(owner)

    _works(owner)
    assert _identity(owner) == was


def test_rows_come_by_logical_replication(tmp_path: Path) -> None:
    """As the README says, into a migrated database elsewhere, while the first goes on.

    Nothing is sent of views, roles and sequences.
    """
    (statements,) = blocks("sql", "Back up, restore, move, fail over")
    moved, grown, subscribe, not_there, _ = statements.split(";")
    with ExitStack() as stack:
        old, new = (stack.enter_context(_server(tmp_path / name)) for name in ("old", "new"))
        with assemble(make_conninfo(old, options=WRITER)) as ledger:
            _fill(ledger)
            _seal_by_hand(old)
            _execute(old, moved, grown)
            assert "'host=old dbname=ledger'" in subscribe
            _execute(new, subscribe.replace("host=old dbname=ledger", old))
            until(lambda: _number(new, not_there) == 0)
            ledger.plan("T", job="later")
            until(lambda: _number(new, COUNT) == 4)
        _execute(new, "DROP SUBSCRIPTION moved")
        assert _wrong(new)
        bring_up(new)
        _works(new, 5)
        assert _identity(new) == _identity(old)


COUNT = "SELECT count(*) FROM ledger.stored_events"


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """A migrated database on a server of its own that others may replicate."""
    embedded = EmbeddedServer(folder)
    embedded.start()
    try:
        _execute(embedded.conninfo(), "ALTER SYSTEM SET wal_level = logical")
        embedded.stop()
        embedded.start()
        bring_up(embedded.conninfo())
        yield embedded.conninfo()
    finally:
        embedded.stop()


def _number(conninfo: str, question: str) -> int:
    with psycopg.connect(conninfo) as connection:
        return int(connection.execute(question).fetchall()[0][0])


def test_neither_owners_nor_privileges_need_come_along(superuser: str, ledger: Ledger, empty_database: str) -> None:
    _fill(ledger)
    dumped = _run("pg_dump", "--format=custom", superuser)

    _run("pg_restore", "--no-owner", "--no-privileges", f"--dbname={empty_database}", said=dumped)
    found = _wrong(empty_database)
    bring_up(empty_database)

    assert any("The role jobledger_writer must have INSERT on column" in each.sentence for each in found)
    _works(empty_database)


def test_what_comes_after_the_rows_need_not_come_along(superuser: str, ledger: Ledger, empty_database: str) -> None:
    """Without triggers, constraints and indexes an append says what is missing, and a migration makes it anew."""
    _fill(ledger)
    dumped = _run("pg_dump", "--format=custom", superuser)
    _run("pg_restore", "--section=pre-data", "--section=data", f"--dbname={empty_database}", said=dumped)
    said: list[str] = []

    found = _wrong(empty_database)
    with (
        assemble(make_conninfo(empty_database, options=WRITER)) as bare,
        pytest.raises(IntegrityFailure, match=r"The trigger place_append, .* is missing or off; run jobledger migrate"),
    ):
        bare.plan("T", job="c")
    bring_up(empty_database, say=said.append)

    missing = "The trigger place_append on ledger.stored_events is missing; run jobledger migrate."
    assert missing in [each.sentence for each in found]
    assert any("again what was missing: the constraint" in each and "the trigger" in each for each in said)
    _works(empty_database)


TWICE = """
ALTER TABLE ledger.topics DROP CONSTRAINT topics_pkey;
ALTER TABLE ledger.topics DISABLE TRIGGER USER;
INSERT INTO ledger.topics SELECT topic FROM ledger.topics
"""


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (
            "DROP FUNCTION ledger.refuse_change() CASCADE",
            r"The ledger lacks the function ledger.refuse_change\(\), which jobledger migrate cannot make anew",
        ),
        ("DROP TABLE ledger.leases", "The ledger lacks .*the table ledger.leases, .* cannot make anew"),
        ("ALTER TABLE ledger.leases DROP COLUMN epoch", "lacks the column ledger.leases.epoch, .* cannot make anew"),
        (
            TWICE,
            r"lacks the constraint topics_pkey on ledger.topics, which cannot be made anew \(could not create unique",
        ),
    ],
)
def test_what_cannot_be_put_back_is_named(superuser: str, damage: str, named: str) -> None:
    """And nothing is changed."""
    _execute(superuser, damage)

    with pytest.raises(Unavailable, match=named) as raised:
        bring_up(superuser)

    assert str(raised.value).endswith("migrate again; nothing was changed.")


def test_a_name_that_something_was_sealed_under_stays(superuser: str, ledger: Ledger) -> None:
    """Rows of another ledger do not rename one that has been sealed."""
    _fill(ledger)
    _seal_by_hand(superuser)

    with pytest.raises(psycopg.errors.UniqueViolation):
        _execute(superuser, "INSERT INTO ledger.identity DEFAULT VALUES")


def test_a_question_to_views_that_are_not_begun_names_the_command(superuser: str, ledger: Ledger) -> None:
    """It is answered by no absence: what is not filled yet says nothing of a job."""
    _fill(ledger)
    _execute(superuser, "TRUNCATE projections.tracking, projections.job_status, projections.running_jobs")
    questions: tuple[Callable[[], object], ...] = (
        lambda: ledger.busy("vm/1"), lambda: ledger.job("a"), lambda: list(ledger.jobs()), lambda: ledger.tree("a")
    )  # fmt: skip

    for question in questions:
        with pytest.raises(ViewBehind, match="run jobledger projections rebuild"):
            question()


def test_doctor_looks_at_all_it_can(superuser: str, ledger: Ledger) -> None:
    """Whatever is missing it ends with findings, and never with an error of its own."""
    _fill(ledger)
    with psycopg.connect(superuser) as connection:
        tables = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace IN "
            "('ledger'::regnamespace, 'projections'::regnamespace, 'history'::regnamespace)"
        ).fetchall()
    for (table,) in tables:
        with psycopg.connect(superuser, row_factory=dict_row) as connection:
            kind = connection.execute("SELECT relkind FROM pg_class WHERE oid = %s::regclass", (table,)).fetchall()
            connection.execute(f"DROP {'VIEW' if kind[0]['relkind'] == 'v' else 'TABLE'} {table} CASCADE")
            found = look_at(connection)
            connection.rollback()
        assert any(table in each.sentence or each.code == "schema" for each in found if each.level == "error"), table


def test_every_role_sees_what_doctor_sees(superuser: str, ledger: Ledger) -> None:
    _fill(ledger)
    for role in ROLES:
        with as_role(superuser, role) as connection:
            assert [each for each in look_at(connection) if each.level == "error"] == []
