import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from ledger.asking.answers import JobFilter
from ledger.errors import ChecksumMismatch, LedgerError, SchemaMissing, SchemaTooNew
from ledger.service.assembly import assemble
from ledger.service.embedded.binaries import binaries
from ledger.service.readiness import bring_up, migrator
from ledger.store.connection import connect
from ledger.store.migrate import Migration, Migrator, load_migrations
from projections.document import BY_DEFAULT
from projections.inline import rebuild
from tests.projections.histories import History
from tests.store.controls import look_at

PUBLISHED = {  # the first 16 digits of each SHA-256; one that is new is added
    "ledger 0001 events": "f8542fa88f53da14",
    "ledger 0002 leases": "5d2e6cdc01070259",
    "ledger 0003 notify": "9269688c0e4cbdf1",
    "ledger 0004 seals": "ff76267261024ee2",
    "ledger 0005 guards": "b4692fb46e63baf1",
    "ledger 0006 waits": "3f9f843d9bf1b3a7",
    "ledger 0007 sealers": "019ea28339f4c77b",
    "ledger 0008 view_owner": "496e3d4c82e0894a",
    "ledger 0009 mends": "bb341c0f8797b54d",
    "ledger 0010 losses": "6a0b1afbf60e6a15",
    "ledger 0011 restored": "3fb0a6560a121f0d",
    "ledger 0012 swap": "d30ae67f8b30226a",
    "projections 0001 views": "34235101943595fe",
    "projections 0002 tokens": "62609ff91e77619d",
    "projections 0003 past_intervals": "fa1ace3be7386435",
    "projections 0004 job_view": "177c7de727aa008b",
    "projections 0005 document": "18bdc0a626645682",
    "projections 0006 defaults": "4e898cbcc42e21d2",
    "projections 0007 long_streams": "1801a6c496e38975",  # revised
    "projections 0008 families": "7ac501373a28fa7d",
    "projections 0009 damaged": "2dbada3ccc6f1c76",
    "projections 0010 expiry": "6f03df849dd06fe1",
    "projections 0011 policies": "acfd8dc4016485d0",
    "projections 0012 collations": "967c241e82bef07b",
    "projections 0013 newest": "e1c61c69cdbf1a29",
    "history 0001 tracking": "9a89afabd94e380b",
    "history 0002 history": "11569fc2edd93200",
    "history 0003 activity": "8c9c102e59f15965",
    "history 0004 collations": "613b0307389a277a",
    "history 0005 newest": "5d3178f2d224ce8e",
}

# The view `job_status` as it was in columns, made of the documents that took their place.
IN_COLUMNS = sql.SQL("""
ALTER TABLE job_status ALTER recorded_at DROP NOT NULL;
INSERT INTO job_status
SELECT said.*
FROM
    projections.job_status AS told,
    json_populate_record(json_populate_record(NULL::older.job_status, {defaults}), told.document) AS said;
UPDATE job_status SET
    recorded_at = (SELECT recorded_at FROM ledger.stored_events WHERE notification_id = position),
    closed_recorded_at = (SELECT recorded_at FROM ledger.stored_events WHERE notification_id = closed_position);
DROP TABLE projections.job_status CASCADE;
ALTER TABLE job_status SET SCHEMA projections;
ALTER VIEW job_view SET SCHEMA projections;
ALTER VIEW job_expiry SET SCHEMA projections;
""")
NEXT = Migration("ledger", 99, "note", "CREATE TABLE note (text text);")


def _check(conninfo: str, release: Migrator) -> None:
    with psycopg.connect(conninfo, row_factory=dict_row) as connection:
        release.check(connection)


def test_an_older_database_is_upgraded_and_keeps_its_events(superuser: str) -> None:
    with assemble(superuser) as ledger:
        ledger.plan("T", job="a")
    newer = Migrator([*migrator().migrations, NEXT])
    with pytest.raises(SchemaMissing, match="ledger 0099 note"):
        _check(superuser, newer)

    assert newer.migrate(superuser) == [NEXT]

    _check(superuser, newer)
    with psycopg.connect(superuser) as connection:
        connection.execute("SELECT * FROM ledger.note")
    with assemble(superuser) as ledger:
        assert ledger.job("a").phase == "planned"


@pytest.mark.parametrize("seed", range(3))
def test_documents_are_made_of_what_was_in_columns(superuser: str, seed: int) -> None:
    """Every job is shown as before, and every row is the one that a rebuild makes."""
    history, everything = History(seed), JobFilter(expired=True)
    with assemble(superuser) as ledger:
        for _ in range(200):
            with suppress(LedgerError):
                ledger.record(history.next())
        ledger.plan("T", job="timed", at="2026-01-01T00:00:00.5Z", deadline="2026-01-01T01:00:00+01:00")
        ledger.progress("timed", 1, at="2026-01-01T00:00:01Z", estimated_end="2027-01-01T00:00:00.000001Z")
        shown = [view._replace(elapsed_seconds=0) for view in ledger.jobs(everything)]
    with connect(superuser) as connection, connection.transaction():
        connection.execute("CREATE SCHEMA older")
        connection.execute("DELETE FROM ledger.migrations WHERE schema = 'projections' AND number >= 5")
        connection.execute("DROP TABLE projections.told, projections.snapshots, projections.damaged")
        connection.execute("DELETE FROM projections.tracking WHERE view = 'told'")
        connection.execute("SET LOCAL search_path = older, pg_catalog")
        for migration in load_migrations("older", "projections.inline")[:4]:
            connection.execute(migration.sql)
        connection.execute(IN_COLUMNS.format(defaults=sql.Literal(json.dumps(BY_DEFAULT))))

    applied = ["document", "defaults", "long_streams", "families", "damaged", "expiry", "policies", "collations"]
    assert [migration.name for migration in bring_up(superuser)] == [*applied, "newest"]

    with assemble(superuser) as ledger:
        assert [view._replace(elapsed_seconds=0) for view in ledger.jobs(everything)] == shown
    with connect(superuser) as connection:
        assert set(rebuild.compare(connection).values()) == {0}


def test_a_newer_database_is_refused(superuser: str) -> None:
    Migrator([*migrator().migrations, NEXT]).migrate(superuser)

    with pytest.raises(SchemaTooNew, match="newer release"):
        _check(superuser, migrator())
    with pytest.raises(SchemaTooNew):
        migrator().migrate(superuser)


def test_a_migration_that_was_changed_afterwards_is_refused(superuser: str) -> None:
    first, *rest = migrator().migrations

    with pytest.raises(ChecksumMismatch, match="ledger 0001"):
        Migrator([replace(first, sql=first.sql + "-- changed"), *rest]).migrate(superuser)


def test_no_migration_says_anything_else_than_when_it_was_first_published() -> None:
    """A database that has it would be refused; what is to change is a migration of its own."""
    said = {f"{it.schema} {it.number:04} {it.name}": it.checksum[:16] for it in migrator().migrations}

    assert said == PUBLISHED


def test_a_migration_that_fails_leaves_nothing_behind(superuser: str) -> None:
    broken = replace(NEXT, sql="CREATE TABLE note (text text); SELECT 1 / 0;")

    with pytest.raises(Exception, match="division by zero"):
        Migrator([*migrator().migrations, broken]).migrate(superuser)

    _check(superuser, migrator())
    assert Migrator([*migrator().migrations, NEXT]).migrate(superuser) == [NEXT]


def test_eight_migrators_at_once_apply_each_migration_once(empty_database: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        applied = list(pool.map(lambda _: migrator().migrate(empty_database), range(8)))

    assert sorted(map(len, applied)) == [0] * 7 + [len(migrator().migrations)]
    _check(empty_database, migrator())
    assert migrator().migrate(empty_database) == []


def test_the_printed_sql_makes_the_same_ledger(empty_database: str) -> None:
    script = "\n".join(migrator().print())

    words = (str(binaries() / "psql"), "-v", "ON_ERROR_STOP=1", "-q", empty_database)
    done = subprocess.run(words, input=script, text=True, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    _check(empty_database, migrator())
    with assemble(make_conninfo(empty_database, options="-c role=jobledger_writer")) as ledger:
        assert ledger.plan("T", job="a").position == 1


def test_an_owner_who_may_not_create_roles_gets_a_ledger_all_the_same(server: str, empty_database: str) -> None:
    owner = "plain_owner"
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {owner}")
        connection.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'p'")
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" OWNER TO {owner}')
    conninfo = make_conninfo(empty_database, user=owner, password="p")
    try:
        migrator().migrate(conninfo)
        with assemble(conninfo) as ledger:
            assert ledger.plan("T", job="a").position == 1
        with psycopg.connect(conninfo, row_factory=dict_row) as connection:
            assert not [found for found in look_at(connection) if found.level == "error"]
    finally:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            connection.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER")
            connection.execute(f"DROP OWNED BY {owner}")
            connection.execute(f"DROP ROLE {owner}")
