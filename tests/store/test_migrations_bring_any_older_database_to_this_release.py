import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from ledger.errors import ChecksumMismatch, SchemaMissing, SchemaTooNew
from ledger.service.assembly import assemble
from ledger.service.embedded.binaries import binaries
from ledger.service.readiness import migrator
from ledger.store.doctor import examine
from ledger.store.migrate import Migration, Migrator

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
        connection.execute(f"CREATE ROLE {owner} LOGIN")
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" OWNER TO {owner}')
    conninfo = make_conninfo(empty_database, user=owner)
    try:
        migrator().migrate(conninfo)
        with assemble(conninfo) as ledger:
            assert ledger.plan("T", job="a").position == 1
        with psycopg.connect(conninfo, row_factory=dict_row) as connection:
            assert not [found for found in examine(connection, migrator()) if found.level == "error"]
    finally:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            connection.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER")
            connection.execute(f"DROP OWNED BY {owner}")
            connection.execute(f"DROP ROLE {owner}")
