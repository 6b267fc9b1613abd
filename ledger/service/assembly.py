"""Wires the ledger to its views over one database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow

from ledger.application import Ledger
from ledger.errors import Unavailable, UnsafeSettings
from ledger.recovery.leases import LeaseTable
from ledger.service.settings import Database, allowed_unsafe_settings, find_database
from ledger.store.datastore import Datastore, connect, translate
from ledger.store.feed import Feed
from ledger.store.migrate import Migrator, load_migrations
from ledger.store.recorder import Recorder
from ledger.store.statements import SQL
from projections import runner
from projections.queries import ViewQueries
from projections.runner import InlineViews

if TYPE_CHECKING:
    from ledger.store.doctor import Finding

WRITER = "-c role=jobledger_writer"


def migrator() -> Migrator:
    """The migrations of this release, events first."""
    return Migrator([*load_migrations("ledger", "ledger.store"), *load_migrations("projections", "projections")])


def open_ledger(dsn: str | None = None) -> Ledger:
    """The ledger in a database: `dsn` (any libpq conninfo), else JOBLEDGER_DSN, else PG* variables, else embedded.

    Raises `Unavailable`: the database is away, has no ledger of this release, or has unsafe settings.
    """
    return assemble(ready_conninfo(find_database(dsn)))


def ready_conninfo(database: Database) -> str:
    """The conninfo of a database that is there and of this release; the embedded one is started and migrated."""
    if database.folder is None:
        conninfo = database.conninfo or ""
        with connect(conninfo) as connection:
            check(connection)
        return conninfo
    superuser = start_embedded(database)
    conninfo = make_conninfo(superuser, options=WRITER)
    try:
        with connect(conninfo) as connection:
            missing = migrator().pending(connection)
    except Unavailable:  # without the role nothing is migrated yet
        missing = list(migrator().migrations)
    if missing:
        migrator().migrate(superuser)
    return conninfo


def start_embedded(database: Database) -> str:
    """Start the embedded PostgreSQL where it does not run; its conninfo as superuser."""
    from ledger.service.embedded import EmbeddedServer  # noqa: PLC0415 - only where it is needed

    assert database.folder is not None  # noqa: S101 - the caller looked
    server = EmbeddedServer(database.folder)
    server.start()
    return server.conninfo()


def admin_conninfo(database: Database) -> str:
    """The conninfo for what changes the schema: as given, or the embedded one's superuser."""
    return database.conninfo or "" if database.folder is None else start_embedded(database)


def check(connection: Connection[DictRow]) -> None:
    """Raise unless the database is of this release and keeps what it acknowledges."""
    try:
        migrator().check(connection)
        rows = connection.execute(SQL["select_unsafe_settings"]).fetchall()
    except psycopg.Error as error:
        raise translate(error) from error
    unsafe = {row["name"]: row["setting"] for row in rows if row["name"] not in allowed_unsafe_settings()}
    if unsafe:
        names = ", ".join(f"{name} = {setting}" for name, setting in unsafe.items())
        raise UnsafeSettings(
            f"The server may lose what it acknowledges ({names}); switch that on, or allow it by name in "
            "JOBLEDGER_ALLOW_UNSAFE.",
            settings=unsafe,
        )


def assemble(conninfo: str) -> Ledger:
    """The ledger over a database that is known to be ready."""
    datastore = Datastore(conninfo)
    recorder = Recorder(datastore, InlineViews())
    leases = LeaseTable(datastore.connection)

    def close() -> None:
        recorder.close()
        datastore.close()

    return Ledger(recorder, Feed(datastore), ViewQueries(datastore.connection), leases, close)


def check_release(database: Database) -> None:
    """Raise unless the database is of this release; nothing is changed."""
    with _session(admin_conninfo(database)) as connection:
        migrator().check(connection)


@contextmanager
def _session(conninfo: str) -> Iterator[Connection[DictRow]]:
    """One connection outside the pool; errors of the database come out in our words."""
    with connect(conninfo) as connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise translate(error) from error


def diagnose(database: Database) -> "list[Finding]":
    """What is missing or unsafe in a database, as the ledger would use it."""
    from ledger.store.doctor import examine  # noqa: PLC0415 - only where it is needed

    conninfo = database.conninfo or ""
    if database.folder is not None:
        conninfo = ready_conninfo(database)
    with _session(conninfo) as connection:
        return examine(connection, migrator())


def views() -> list[dict[str, Any]]:
    """Each view with its version, its position and how far it is behind."""
    with _session(ready_conninfo(find_database())) as connection:
        return runner.reached(connection)


def rebuild_views() -> int:
    """Rebuild all views; the position that they reached is returned."""
    database = find_database()
    ready_conninfo(database)
    with _session(admin_conninfo(database)) as connection:
        return runner.rebuild(connection)


def compare_views() -> dict[str, int]:
    """How many rows differ between each live view and one that is built from the events."""
    database = find_database()
    ready_conninfo(database)
    with _session(admin_conninfo(database)) as connection:
        return runner.compare(connection)
