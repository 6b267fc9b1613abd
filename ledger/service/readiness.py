"""Sees to it that a database is there, is of this release, and keeps what it acknowledges."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow

from ledger.errors import Unavailable
from ledger.service.settings import Database, allowed_unsafe_settings
from ledger.store.connection import Bounded, connect, in_our_words
from ledger.store.migrate import Migration, Migrator, act_as_owner, load_migrations
from ledger.store.pooler import refuse_transaction_pooler
from ledger.store.replication import refuse, unsafe_settings
from projections.inline.lag import is_unfilled

WRITER = "-c role=jobledger_writer"
SEALER = "-c role=jobledger_sealer"


def migrator() -> Migrator:
    """The migrations of this release, events first."""
    return Migrator(
        [
            *load_migrations("ledger", "ledger.store"),
            *load_migrations("projections", "projections.inline"),
            *load_migrations("history", "projections.followed"),
        ]
    )


def bring_up(
    conninfo: str,
    tell: Callable[[int, int], None] = lambda _position, _goal: None,
    say: Callable[[str], None] = lambda _sentence: None,
) -> list[Migration]:
    """Bring a database to this release, its views to its events, and mend it; the migrations applied are returned.

    The user must be one who may migrate. `tell` hears how far a view is that is filled, and how far it has to come;
    `say` a sentence for each thing that was mended or that an administrator must mend.
    """
    from projections.followed import follower  # noqa: PLC0415 - only where it is needed
    from projections.inline import rebuild  # noqa: PLC0415
    from projections.inline.backfill import fill  # noqa: PLC0415

    applied = migrator().migrate(conninfo, say)
    with connect(conninfo) as connection, in_our_words:
        act_as_owner(connection)
        if rebuild.has_begun(connection):
            fill(connection, tell)
        if rebuild.must_be_rebuilt(connection):
            say(f"The views are rebuilt up to position {rebuild.rebuild(connection, tell=tell):,}.")
        if follower.must_be_emptied(connection):
            follower.empty(connection)
            say("The views of history are emptied; the next question fills them.")
    return applied


def ready_conninfo(database: Database) -> str:
    """The conninfo of a database that is there and of this release; the embedded one is started and migrated.

    Raises `TransactionPooler` where sessions cannot be relied on, beside what `check` raises.
    """
    with ready_connection(database) as connection:
        if database.folder is None:
            refuse_transaction_pooler(connection)
        return database.conninfo or "" if database.folder is None else _writer(database.folder)


@contextmanager
def ready_connection(database: Database) -> Iterator[Bounded]:
    """The same as an open connection, for who needs no more than one."""
    if database.folder is None:
        with connect(database.conninfo or "") as connection:
            check(connection)
            yield connection
        return
    superuser = start_embedded(database)
    with _connect_embedded(database.folder, superuser) as connection:
        if migrator().pending(connection) or is_unfilled(connection):
            bring_up(superuser)
        yield connection


def _connect_embedded(folder: Path, superuser: str) -> Bounded:
    try:
        return connect(_writer(folder))
    except Unavailable:  # without the role nothing is migrated yet
        bring_up(superuser)
        return connect(_writer(folder))


def as_sealer(conninfo: str) -> str:
    """The conninfo with which one acts as who seals."""
    return make_conninfo(conninfo, options=SEALER)


def _writer(folder: Path) -> str:
    from ledger.service.embedded import EmbeddedServer  # noqa: PLC0415 - only where it is needed

    return make_conninfo(EmbeddedServer(folder).conninfo(), options=WRITER)


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
    with in_our_words:
        migrator().check(connection)
        unsafe = unsafe_settings(connection)
    refuse(unsafe, allowed_unsafe_settings())
