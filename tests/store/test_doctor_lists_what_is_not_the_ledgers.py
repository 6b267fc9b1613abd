import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.service.readiness import migrator
from ledger.store import inventory
from ledger.store.deviations import CONCERNS, FINDINGS_MAX, WELL
from ledger.store.diagnosis import Diagnosis
from ledger.store.migrate import Migrator
from projections.inline import rebuild
from tests.store.controls import as_role, look_at
from tests.store.older import Unmended

Session = psycopg.Connection[DictRow]


@pytest.fixture
def admin(superuser: str) -> Iterator[Session]:
    """A superuser's session, of which nothing stays: roles are those of the whole cluster."""
    with (
        psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


def _examine(connection: Session) -> list[Diagnosis]:
    found = [each for each in look_at(connection) if each.level != "ok" and each.code != "superuser"]
    assert all(each.sentence.endswith(".") and "\n" not in each.sentence for each in found)
    return found


def test_a_fresh_database_is_what_the_inventory_says(empty_database: str) -> None:
    """A migration was added? Then scripts/inventory writes the file anew."""
    Unmended(migrator().migrations).migrate(empty_database)
    with psycopg.connect(empty_database, autocommit=True, row_factory=dict_row) as admin:
        _is_what_the_inventory_says(admin)


def _is_what_the_inventory_says(admin: Session) -> None:
    wanted, found = inventory.expected(), dict(inventory.take(admin))
    for key, thing in found.items():
        if thing.kind == "view":
            assert inventory.as_printed_here(admin, wanted[key]) == thing
            found[key] = wanted[key]

    assert inventory.print_inventory(found) == inventory.print_inventory(wanted)
    assert _examine(admin) == []


def test_what_a_rebuild_puts_in_place_is_as_it_was_made(ledger: Ledger, superuser: str) -> None:
    ledger.plan("T", job="a")
    with as_role(superuser, "jobledger_projector") as connection:
        rebuild.rebuild(connection)
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        assert _examine(connection) == []


def test_any_role_may_ask(superuser: str) -> None:
    for role in ("jobledger_writer", "jobledger_projector", "jobledger_reader"):
        with as_role(superuser, role) as connection:
            assert _examine(connection) == []


EVIL = "LANGUAGE sql AS $$ SELECT 1 $$"
FUNCTIONS = """
CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN new; END$$;
CREATE FUNCTION public.e() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$;
SET check_function_bodies = off
"""
OTHERS = """
DROP TRIGGER refuse_change ON ledger.stored_events;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.stored_events EXECUTE FUNCTION public.f();
ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER refuse_change
"""
HIDING = """
CREATE OR REPLACE VIEW ledger.events AS
SELECT
    notification_id AS position,
    split_part(originator_id, ':', 1) AS stream_of,
    substr(originator_id, strpos(originator_id, ':') + 1) AS name,
    originator_version AS version,
    topic,
    recorded_at,
    convert_from(state, 'UTF8')::json AS said
FROM ledger.stored_events
WHERE notification_id <> 7
"""
HOLLOW = "CREATE OR REPLACE FUNCTION ledger.{} RETURNS trigger LANGUAGE plpgsql {} AS $${}$$"
FIXED = "SET search_path = pg_catalog, pg_temp"


@pytest.mark.parametrize(
    ("damage", "code", "level", "words"),
    [
        # Code in our schemas that is not ours.
        (
            f"CREATE FUNCTION projections.pg_advisory_xact_lock(bigint) RETURNS int {EVIL}",
            "functions", "error", "projections.pg_advisory_xact_lock(bigint)",
        ),
        (f"CREATE FUNCTION projections_rebuild.now() RETURNS int {EVIL}", "functions", "error", "rebuild.now()"),
        ("CREATE PROCEDURE history.p() LANGUAGE sql AS ''", "functions", "error", "procedure history.p()"),
        (
            "CREATE AGGREGATE ledger.total(bigint) (SFUNC = int8_sum, STYPE = numeric)",
            "functions", "error", "aggregate ledger.total(bigint)",
        ),
        (
            "CREATE OPERATOR projections.= (LEFTARG = text, RIGHTARG = text, PROCEDURE = pg_catalog.texteq)",
            "objects", "error", "operator projections.=(",
        ),
        ("CREATE DOMAIN projections.text AS pg_catalog.text CHECK (true)", "objects", "error", "projections.text"),
        ("CREATE TYPE history.mood AS ENUM ('well')", "objects", "error", "type history.mood"),
        ("CREATE COLLATION ledger.c FROM \"C\"", "objects", "error", "collation ledger.c"),
        ("CREATE CAST (ledger.stored_event_text AS text) WITH INOUT AS IMPLICIT", "casts", "error", "as text"),
        ("CREATE CAST (bytea AS json) WITHOUT FUNCTION", "casts", "warning", "bytea as json"),
        ("CREATE VIEW projections.more AS SELECT 1 AS one", "definitions", "error", "view projections.more"),
        ("CREATE MATERIALIZED VIEW history.m AS SELECT 1 AS one", "definitions", "error", "history.m"),
        ("CREATE TABLE ledger.more (a int)", "tables", "warning", "table ledger.more"),
        ("CREATE SEQUENCE ledger.more", "tables", "warning", "sequence ledger.more"),
        # Our code, changed.
        (HOLLOW.format("refuse_change()", FIXED, "BEGIN RETURN NULL; END"), "functions", "error", "the body"),
        (HOLLOW.format("refuse_change()", FIXED, " "), "functions", "error", "an empty body"),
        (
            f"{HOLLOW.format('refuse_change()', '', '{}')}".replace("$${}$$", "$$BEGIN RETURN NULL; END$$"),
            "functions", "error", "with search_path=pg_catalog, pg_temp",
        ),
        ("ALTER FUNCTION ledger.place_append() SECURITY INVOKER", "functions", "error", "must have security definer"),
        ("ALTER FUNCTION ledger.refuse_change() SET search_path = projections", "functions", "error", "search_path"),
        ("ALTER FUNCTION ledger.refuse_change() OWNER TO jobledger_projector", "owners", "error", "belongs to jobl"),
        ("DROP FUNCTION ledger.refuse_change() CASCADE", "functions", "error", "is missing"),
        # Triggers.
        (
            "CREATE TRIGGER a BEFORE INSERT ON ledger.stored_events FOR EACH ROW EXECUTE FUNCTION public.f()",
            "triggers", "error", "trigger a on ledger.stored_events",
        ),
        (OTHERS, "triggers", "error", "public.f()"),
        ("DROP TRIGGER place_append ON ledger.stored_events", "triggers", "error", "is missing"),
        ("ALTER TABLE ledger.tiles DISABLE TRIGGER ALL", "triggers", "error", "enabled always, and has disabled"),
        ("ALTER TABLE ledger.tiles ENABLE TRIGGER refuse_unsealing", "triggers", "error", "and has enabled;"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON projections.job_status FOR EACH ROW EXECUTE FUNCTION public.f()",
            "triggers", "error", "projections.job_status",
        ),
        (
            "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.e()",
            "event_triggers", "warning", "e on ddl_command_end runs public.e()",
        ),
        # Rules, rows that are hidden, and what a column does by itself.
        ("CREATE RULE r AS ON INSERT TO ledger.leases DO INSTEAD NOTHING", "rules", "error", "r on ledger.leases"),
        ("ALTER TABLE ledger.stored_events ENABLE ROW LEVEL SECURITY", "row_security", "error", "ledger.stored_events"),
        ("ALTER TABLE ledger.leases FORCE ROW LEVEL SECURITY", "row_security", "error", "ledger.leases"),
        ("CREATE POLICY p ON projections.job_status USING (false)", "row_security", "error", "p on projections.job"),
        (
            "ALTER TABLE ledger.stored_events ALTER recorded_at SET DEFAULT now()",
            "columns", "error", "and has default now()",
        ),
        ("ALTER TABLE ledger.stored_events ALTER recorded_at DROP DEFAULT", "columns", "error", "and has not;"),
        (
            "ALTER TABLE ledger.stored_events ADD more bigint GENERATED ALWAYS AS (originator_version + 1) STORED",
            "columns", "error", "generated (originator_version + 1)",
        ),
        (
            "ALTER TABLE ledger.stored_events ALTER notification_id SET GENERATED BY DEFAULT",
            "columns", "error", "identity by default",
        ),
        ("ALTER TABLE ledger.tiles DROP CONSTRAINT tiles_level_check", "columns", "error", "tiles_level_check"),
        ("ALTER TABLE ledger.leases ADD CHECK (epoch > 0)", "columns", "error", "leases_epoch_check"),
        ("DROP INDEX ledger.stored_events_notification_id_idx", "indexes", "error", "is missing"),
        ("CREATE INDEX i ON ledger.stored_events (lower(topic))", "indexes", "warning", "ledger.i"),
        # Views that show something else.
        (HIDING, "definitions", "error", "ledger.events"),
        # Grants, too many and too few.
        ("GRANT UPDATE ON ledger.stored_events TO jobledger_writer", "privileges", "error", "must not have UPDATE"),
        ("GRANT INSERT (recorded_at) ON ledger.stored_events TO jobledger_writer", "privileges", "error", "INSERT on"),
        ("GRANT SELECT ON ledger.stored_events TO PUBLIC", "privileges", "error", "Everybody (PUBLIC) must not have"),
        ("GRANT CREATE ON SCHEMA ledger TO jobledger_writer", "privileges", "error", "CREATE on schema ledger"),
        (
            "GRANT UPDATE ON SEQUENCE ledger.stored_events_notification_id_seq TO jobledger_writer",
            "privileges", "error", "UPDATE on sequence ledger.stored_events_notification_id_seq",
        ),
        (
            "GRANT EXECUTE ON FUNCTION ledger.place_append() TO jobledger_reader",
            "privileges", "error", "EXECUTE on function ledger.place_append()",
        ),
        (
            "GRANT SELECT ON ledger.leases TO jobledger_reader WITH GRANT OPTION",
            "privileges", "error", "SELECT for others too",
        ),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA ledger GRANT ALL ON TABLES TO jobledger_projector",
            "privileges", "error", "by default on what who migrates makes in schema ledger, tables",
        ),
        (
            "GRANT SET ON PARAMETER session_replication_role TO jobledger_writer",
            "privileges", "error", "SET on parameter session_replication_role",
        ),
        ("CREATE ROLE t_bob; GRANT SELECT ON ledger.leases TO t_bob", "privileges", "warning", "t_bob must not have"),
        ("REVOKE SELECT ON ledger.stored_events FROM jobledger_reader", "privileges", "error", "and has not; run"),
        ("REVOKE USAGE ON SCHEMA history FROM jobledger_writer", "privileges", "error", "USAGE on schema history"),
        ("REVOKE UPDATE (sums) ON ledger.tiles FROM jobledger_sealer", "privileges", "error", "ledger.tiles.sums"),
        ("REVOKE EXECUTE ON FUNCTION ledger.read_json(bytea) FROM PUBLIC", "privileges", "warning", "must have EXEC"),
        # Roles that are more than they were made.
        ("ALTER ROLE jobledger_writer SUPERUSER", "role_attributes", "error", "must not have SUPERUSER"),
        ("ALTER ROLE jobledger_reader CREATEROLE", "role_attributes", "error", "NOCREATEROLE"),
        ("ALTER ROLE jobledger_reader CREATEDB", "role_attributes", "error", "NOCREATEDB"),
        ("ALTER ROLE jobledger_projector REPLICATION", "role_attributes", "error", "NOREPLICATION"),
        ("ALTER ROLE jobledger_writer BYPASSRLS", "role_attributes", "error", "NOBYPASSRLS"),
        ("ALTER ROLE jobledger_writer LOGIN", "role_attributes", "warning", "NOLOGIN"),
        ("GRANT pg_write_all_data TO jobledger_reader", "role_attributes", "error", "pg_write_all_data"),
        ("GRANT pg_execute_server_program TO jobledger_writer", "role_attributes", "error", "server_program"),
        ("GRANT jobledger_projector TO jobledger_writer", "role_attributes", "error", "of jobledger_projector"),
        # Owners.
        ("ALTER TABLE ledger.leases OWNER TO jobledger_writer", "owners", "error", "ALTER TABLE ledger.leases OW"),
        ("ALTER SCHEMA ledger OWNER TO jobledger_writer", "owners", "error", "schema ledger belongs to"),
        ("ALTER VIEW projections.job_expiry OWNER TO jobledger_reader", "owners", "error", "ALTER VIEW proj"),
        (
            "CREATE TABLE projections_rebuild.t (); ALTER TABLE projections_rebuild.t OWNER TO jobledger_projector",
            "owners", "error", "The table projections_rebuild.t belongs to jobledger_projector",
        ),
    ],
)  # fmt: skip
def test_each_deviation_is_named(admin: Session, damage: str, code: str, level: str, words: str) -> None:
    admin.execute(FUNCTIONS)
    admin.execute(damage)

    told = [each for each in _examine(admin) if each.code == code]
    assert any(each.level == level and words in each.sentence for each in told), told


def test_a_ledger_that_came_all_the_way_is_as_a_fresh_one(empty_database: str) -> None:
    """Migrated again and again, by a release with one more migration of the views each time."""
    every = migrator().migrations
    for upto in range(sum(each.schema == "ledger" for each in every), len(every) + 1):
        Migrator(every[:upto]).migrate(empty_database)
    with psycopg.connect(empty_database, autocommit=True, row_factory=dict_row) as connection:
        assert _examine(connection) == []


def test_who_migrates_may_have_any_name(server: str, empty_database: str) -> None:
    """One like those of the ledger's own roles too, and no superuser's."""
    name = f"jobledger_owner_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} NOLOGIN")
        for role in inventory.ROLES:
            admin.execute(f"GRANT {role} TO {name}")
    try:
        with psycopg.connect(empty_database, autocommit=True, row_factory=dict_row) as connection:
            connection.execute(f'GRANT CREATE ON DATABASE "{connection.info.dbname}" TO {name}')
            migrator().migrate(make_conninfo(empty_database, options=f"-c role={name}"))
            assert _examine(connection) == []
            connection.execute(f"DROP OWNED BY {name} CASCADE")
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP ROLE {name}")


def test_what_was_made_in_the_name_of_an_extension_is_its_own(admin: Session) -> None:
    admin.execute("CREATE SCHEMA elsewhere")
    admin.execute("CREATE EXTENSION hstore SCHEMA elsewhere")

    assert _examine(admin) == []


def test_a_query_that_is_only_printed_otherwise_is_the_same(admin: Session) -> None:
    """Releases of PostgreSQL write it differently; here it is expected with names that need not be there."""
    printed = inventory.expected()["view", "ledger.events"]
    written = printed._replace(
        detail=printed.detail.replace("SELECT notification_id", "SELECT stored_events.notification_id")
    )

    assert written.detail != printed.detail
    assert inventory.as_printed_here(admin, written) == inventory.as_printed_here(admin, printed)


def test_who_may_create_nothing_cannot_tell(superuser: str) -> None:
    """As on a standby: what differs in print alone is no more than a warning there."""
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as admin:
        admin.execute(HIDING)
        admin.execute(f'REVOKE TEMPORARY ON DATABASE "{admin.info.dbname}" FROM PUBLIC')
    with as_role(superuser, "jobledger_reader") as connection:
        assert [(each.code, each.level) for each in _examine(connection)] == [("definitions", "warning")]


def test_many_deviations_of_a_kind_are_counted(admin: Session) -> None:
    for n in range(FINDINGS_MAX + 7):
        admin.execute(f"CREATE FUNCTION ledger.f{n}() RETURNS int {EVIL}")

    told = [each.sentence for each in _examine(admin) if each.code == "functions"]
    assert len(told) == FINDINGS_MAX + 1
    assert told[-1].startswith("There are 7 more")


def test_without_a_role_nothing_is_granted_to_any(empty_database: str) -> None:
    """Where roles cannot be made, that is told once, and grants are not missed one by one."""
    name = "jobledger_reader"
    with psycopg.connect(empty_database, autocommit=True, row_factory=dict_row) as connection:
        migrator().migrate(empty_database)
        found = {key: thing for key, thing in inventory.take(connection).items() if thing.name != name}
        found = {key: thing for key, thing in found.items() if thing.kind not in ("grant", "default grant", "role")
                 or thing.name.endswith("PUBLIC")}  # fmt: skip
        from ledger.store.deviations import examine_inventory, missing_roles

        told = examine_inventory(connection, inventory.expected(), found)
        assert [each for each in told if each.level != "ok"] == []
        assert name in missing_roles(inventory.expected(), found)


def test_every_code_says_when_all_is_well() -> None:
    """Those aside of which there is nothing to say where there is none."""
    codes = {concern.code for concern in CONCERNS.values()} | {"objects"}
    assert codes - WELL.keys() == {"casts", "event_triggers"}
    assert WELL.keys() <= codes


def test_doctor_works_on_a_ledger_in_use(conninfo: str, superuser: str) -> None:
    with assemble(conninfo) as ledger:
        ledger.plan("T", job="a")
        ledger.search("job:a").page()
    with as_role(superuser, "jobledger_reader") as connection:
        assert _examine(connection) == []
