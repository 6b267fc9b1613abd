"""The connections that the threads of one process share, as the library's recorder wants them."""

import select
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import PoolClosed, PoolTimeout

from ledger.store.connection import CONNECT_SECONDS_MAX, configure, connect, in_our_words


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
        with in_our_words, self.raw_connection() as connection:
            yield connection


def check_open(connection: Connection[Any]) -> None:
    """Raise where the server has ended an idle connection: there is something to read though nothing was asked."""
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        ConnectionPool.check_connection(connection)
