import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import IntegrityFailure
from ledger.service.assembly import assemble
from ledger.service.readiness import migrator
from tests.store.controls import ROLES, as_role

SCHEMAS = ("ledger", "projections", "projections_rebuild", "history", "public")
MAKINGS = (
    "CREATE FUNCTION {schema}.pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE sql AS ''",
    "CREATE PROCEDURE {schema}.p() LANGUAGE sql AS ''",
    "CREATE OPERATOR {schema}.= (FUNCTION = pg_catalog.texteq, LEFTARG = text, RIGHTARG = text)",
    "CREATE TYPE {schema}.t AS (x text)",
    "CREATE DOMAIN {schema}.d AS text CHECK (pg_temp.evil() IS NULL)",
    "CREATE TABLE {schema}.t (x text)",
    "CREATE VIEW {schema}.v AS SELECT 1",
    "CREATE SEQUENCE {schema}.s",
)
CHANGES = (
    "CREATE TRIGGER evil BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION pg_temp.evil()",
    "CREATE RULE evil AS ON INSERT TO {table} DO ALSO SELECT pg_temp.evil()",
    "CREATE POLICY evil ON {table} USING (pg_temp.evil() IS NULL)",
    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {table} ADD CHECK (pg_temp.evil() IS NULL)",
    "CREATE INDEX ON {table} ((pg_temp.evil()))",
    "DROP TABLE {table}",
)
TABLES = ("ledger.stored_events", "ledger.leases", "projections.job_status", "projections.tracking", "history.entries")


def _evil(connection: psycopg.Connection[dict[str, object]]) -> None:
    body = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$"
    connection.execute(f"CREATE FUNCTION pg_temp.evil() {body}")


@pytest.mark.parametrize("role", ROLES)
def test_no_role_makes_anything_in_our_schemas(superuser: str, role: str) -> None:
    """What stands there is code of the ledger alone, for all find it there."""
    with as_role(superuser, role) as connection:
        for making in MAKINGS:
            for schema in SCHEMAS:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(making.format(schema=schema))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_what_a_table_does(superuser: str, role: str) -> None:
    """Neither triggers nor rules, defaults or policies are added to what others write."""
    with as_role(superuser, role) as connection:
        _evil(connection)
        for change in CHANGES:
            for table in TABLES:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(change.format(table=table))


def _as_older_releases_left_it(superuser: str) -> None:
    """Let the projector own the views, as it did once."""
    with psycopg.connect(superuser, autocommit=True) as admin:
        for schema in ("projections", "projections_rebuild", "history"):
            admin.execute(f"ALTER SCHEMA {schema} OWNER TO jobledger_projector")
            question = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = %s::regnamespace"
            for (relation,) in admin.execute(f"{question} AND relkind IN ('r', 'v')", (schema,)).fetchall():
                admin.execute(f"ALTER TABLE {relation} OWNER TO jobledger_projector")
        admin.execute(
            "ALTER DEFAULT PRIVILEGES FOR ROLE jobledger_projector "
            "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO jobledger_writer"
        )


def test_an_older_ledger_takes_its_views_back(superuser: str, ledger: Ledger) -> None:
    """After a migration nothing of the ledger belongs to the projector, and everybody goes on."""
    ledger.plan("T", job="a")
    _as_older_releases_left_it(superuser)

    migrator().migrate(superuser)

    with psycopg.connect(superuser) as admin:
        owned = "SELECT count(*) FROM pg_class WHERE relowner = 'jobledger_projector'::regrole"
        assert admin.execute(owned).fetchone() == (0,)
        owned = "SELECT count(*) FROM pg_namespace WHERE nspowner = 'jobledger_projector'::regrole"
        assert admin.execute(owned).fetchone() == (0,)
        granted = "SELECT count(*) FROM pg_default_acl WHERE defaclrole = 'jobledger_projector'::regrole"
        assert admin.execute(granted).fetchone() == (0,)
    assert ledger.start("a").position == 2


@pytest.mark.parametrize(
    ("planting", "named"),
    [
        ("CREATE FUNCTION projections.now() RETURNS int LANGUAGE sql AS 'SELECT 1'", r"function projections.now\(\)"),
        ("CREATE OPERATOR projections.= (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)", "operator"),
        ("CREATE RULE evil AS ON INSERT TO projections.job_status DO ALSO SELECT 1", "rule evil"),
        ("ALTER TABLE projections.job_status ALTER phase SET DEFAULT 'x'", "default of phase"),
        ("ALTER TABLE projections.job_status ADD CONSTRAINT ck CHECK (lower(job) IS NOT NULL)", "constraint ck"),
        ("CREATE INDEX evil ON projections.job_status (lower(job))", "index projections.evil"),
        ("CREATE INDEX evil ON projections.job_status (job) WHERE lower(job) = 'x'", "index projections.evil"),
        ("CREATE STATISTICS projections.evil ON (lower(job)), phase FROM projections.job_status", "statistics evil"),
        ("CREATE TYPE projections.timestamptz AS (a int)", "type projections.timestamptz"),
        ("CREATE TYPE projections.int8 AS ENUM ('a')", "type projections.int8"),
        ("CREATE VIEW projections.pg_locks AS SELECT 1", "relation projections.pg_locks"),
        ("CREATE TABLE projections.pg_class (a int)", "relation projections.pg_class"),
        ("CREATE TABLE history.child () INHERITS (history.jobs)", "inheritance of history.child"),
    ],
)
def test_what_was_planted_before_is_looked_at_before_a_migration(superuser: str, planting: str, named: str) -> None:
    """A migration by an administrator runs nothing that the projector left in its schemas, and says what is there."""
    _as_older_releases_left_it(superuser)
    with as_role(superuser, "jobledger_projector") as connection:
        connection.execute(planting)

    with pytest.raises(IntegrityFailure, match=named):
        migrator().migrate(superuser)


def test_an_administrator_appends_without_running_what_is_not_ours(superuser: str) -> None:
    """Whatever path sessions are given by default, names are those of PostgreSQL and the ledger."""
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA planted")
        admin.execute("CREATE TABLE planted.ran (what text)")
        for name in ("pg_advisory_xact_lock(bigint)", "now()", "clock_timestamp()", "max(bigint)"):
            admin.execute(
                f"CREATE FUNCTION planted.{name.replace('max', 'greatest_of')} RETURNS timestamptz LANGUAGE sql AS "
                "'INSERT INTO planted.ran VALUES (1); SELECT pg_catalog.now()'"
            )
        admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET search_path = planted, pg_catalog')
    with assemble(superuser) as ledger:
        ledger.plan("T", job="a", entities=[{"type": "vm", "id": "1"}])
        assert ledger.busy("vm/1").busy
        assert ledger.job("a").phase == "planned"
    with psycopg.connect(superuser) as admin:
        assert admin.execute("SELECT count(*) FROM planted.ran").fetchone() == (0,)


def test_what_the_view_of_expiry_shows_is_put_up_again(superuser: str) -> None:
    """An older release let the projector show anything under its name."""
    _as_older_releases_left_it(superuser)
    with psycopg.connect(superuser, autocommit=True) as admin:
        before = admin.execute("SELECT pg_get_viewdef('projections.job_expiry'::regclass)").fetchone()
        admin.execute("DELETE FROM ledger.migrations WHERE schema = 'projections' AND number >= 10")
    with as_role(superuser, "jobledger_projector") as connection:
        connection.execute("DROP VIEW projections.job_expiry; CREATE VIEW projections.job_expiry AS SELECT 9 AS root")

    migrator().migrate(superuser)

    with psycopg.connect(superuser) as admin:
        assert admin.execute("SELECT pg_get_viewdef('projections.job_expiry'::regclass)").fetchone() == before
