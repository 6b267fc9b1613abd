"""The one connection over which a process appends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from ledger.store.connection import configure, connect
from ledger.store.datastore import check_open


class Line:
    """The connection of those who append, one at a time; it is kept, and opened anew where it has gone."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection[DictRow] | None = None

    @contextmanager
    def transaction(self, hear: Callable[[psycopg.errors.Diagnostic], None]) -> Iterator[Connection[DictRow]]:
        """A transaction; `hear` is told of notices.

        It is one pipeline, which PostgreSQL commits as a whole when it ends, without BEGIN and COMMIT (documentation of
        libpq, pipeline mode). Errors of the database come out as they are, `Unavailable` where there is no connection.
        A connection on which something went wrong is not used again.
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
