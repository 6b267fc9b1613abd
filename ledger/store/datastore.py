"""Connections to PostgreSQL, by libpq's conninfo with all its options, and its errors in our words."""

import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import PoolClosed, PoolTimeout

from ledger.errors import AccessDenied, DatabaseAway, DiskFull, LedgerError, SchemaMissing, Unavailable

CONNECT_SECONDS_MAX = 10
SEARCH_PATH = "projections, pg_catalog, pg_temp"

_BY_STATE: dict[str, tuple[type[LedgerError], str]] = {
    "28P01": (AccessDenied, "The database refuses this password; check JOBLEDGER_DSN or PGPASSWORD"),
    "28000": (AccessDenied, "The database refuses this user; check JOBLEDGER_DSN or PGUSER"),
    "42501": (AccessDenied, "The database role lacks a privilege; grant it jobledger_writer"),
    "53100": (DiskFull, "The database has no room left on its disk; make room and repeat"),
    "3D000": (DatabaseAway, "There is no such database; create it or check JOBLEDGER_DSN"),
    "42P01": (SchemaMissing, "The database has no ledger of this release; run jobledger migrate"),
    "3F000": (SchemaMissing, "The database has no ledger of this release; run jobledger migrate"),
    "25006": (DatabaseAway, "The database takes no writes; connect to the primary"),
}


def translate(error: Exception) -> LedgerError:
    """The error in our words, with what the database said."""
    said = " ".join(str(error).split())
    state = getattr(error, "sqlstate", None) or _state_of_text(said)
    if state in _BY_STATE:
        kind, sentence = _BY_STATE[state]
        return kind(f"{sentence} ({said}).", sqlstate=state)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseAway(
            f"The database does not answer; check that it runs and JOBLEDGER_DSN ({said}).", sqlstate=state
        )
    return Unavailable(f"The database could not do what was asked ({said}).", sqlstate=state)


def _state_of_text(said: str) -> str | None:
    # A failed connection attempt carries no SQLSTATE, so the server's own words must do.
    for words, state in (
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ("pg_hba.conf rejects connection", "28000"),
        ("Peer authentication failed", "28000"),
        ('role "', "28000"),
        ('database "', "3D000"),
    ):
        if words in said and ("does not exist" in said or not words.endswith('"')):
            return state
    return None


class Datastore(PostgresDatastore):
    """The library's datastore over a conninfo; its five fields would lose sslmode, options and further hosts."""

    def __init__(self, conninfo: str, *, pool_size: int = 1, max_overflow: int = 15) -> None:
        super().__init__("", "", "", "", "", schema="ledger", originator_id_type="text")
        self.conninfo = conninfo
        self.pool = ConnectionPool(
            conninfo,
            connection_class=Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=pool_size,
            max_size=pool_size + max_overflow,
            open=False,
            configure=configure,
            check=check_open,
            timeout=CONNECT_SECONDS_MAX,
        )

    @contextmanager
    def raw_connection(self) -> Iterator[Connection[DictRow]]:
        """A connection; errors of the database come out as they are, `Unavailable` where there is no connection."""
        with self._take() as connection:
            yield connection

    def _take(self) -> AbstractContextManager[Connection[DictRow]]:
        try:
            self.pool.open()
            connection = self.pool.getconn()
        except (PoolTimeout, PoolClosed):
            # After an outage the pool waits longer and longer before it tries again; who asks meanwhile need not.
            connection = connect(self.conninfo)
            configure(connection)
            return connection
        return self._lend(connection)

    @contextmanager
    def _lend(self, connection: Connection[DictRow]) -> Iterator[Connection[DictRow]]:
        try:
            with connection:
                yield connection
        finally:
            self.pool.putconn(connection)

    @contextmanager
    def connection(self) -> Iterator[Connection[DictRow]]:
        """A connection of the pool; errors of the database come out in our words."""
        try:
            with self.raw_connection() as connection:
                yield connection
        except psycopg.Error as error:
            raise translate(error) from error


class Line:
    """The connection of those who append, one at a time; it is kept, and opened anew where it has gone."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection[DictRow] | None = None

    @contextmanager
    def transaction(self, hear: Callable[[psycopg.errors.Diagnostic], None]) -> Iterator[Connection[DictRow]]:
        """A transaction; `hear` is told of notices.

        It is one pipeline, which PostgreSQL commits as a whole when it ends, without BEGIN and COMMIT (documentation of
        libpq, pipeline mode). Errors of the database come out as they are, `Unavailable` where there is no connection. A connection on which
        something went wrong is not used again.
        """
        connection = self._ready()
        connection.add_notice_handler(hear)
        try:
            with connection.pipeline():
                try:
                    yield connection
                except BaseException:
                    connection.close()  # before the pipeline ends, which would commit what it holds
                    raise
        except BaseException:
            self.close()
            raise
        connection.remove_notice_handler(hear)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ready(self) -> Connection[DictRow]:
        if self._connection is not None:
            try:
                check_open(self._connection)
            except psycopg.Error:
                self.close()
        if self._connection is None:
            self._connection = connect(self._conninfo)
            configure(self._connection)
        return self._connection


def configure(connection: Connection[Any]) -> None:
    """Set what the ledger relies on: the names of views, UTC, and an isolation that reads what was just committed.

    Each statement is planned once, for whatever it is asked, since there is one right plan; planning takes longer than
    the answer.
    """
    connection.autocommit = True
    connection.execute(
        f"SET search_path = {SEARCH_PATH}; SET timezone = 'UTC'; SET default_transaction_isolation = 'read committed'; "
        "SET plan_cache_mode = force_generic_plan"
    )


def check_open(connection: Connection[Any]) -> None:
    """Raise where the server has ended an idle connection: there is something to read though nothing was asked."""
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        ConnectionPool.check_connection(connection)


def connect(conninfo: str) -> Connection[DictRow]:
    """One connection outside the pool, for what is done once; raises `Unavailable`."""
    try:
        return psycopg.connect(conninfo, row_factory=dict_row, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX)
    except psycopg.Error as error:
        raise translate(error) from error
