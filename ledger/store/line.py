"""The one connection over which a process appends."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.abc import Params
from psycopg.rows import DictRow

from ledger.store.connection import configure, connect_as
from ledger.store.datastore import check_open

SEND_BYTES = 4 * 1024 * 1024


class Appending(Connection[DictRow]):
    """Hands out the same cursors in each transaction, since making one takes a fifth of the time of a statement."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._spare: list[Cursor[DictRow]] = []
        self._lent: list[Cursor[DictRow]] = []

    def execute(self, query: Any, params: Params | None = None, **options: Any) -> Cursor[DictRow]:
        """As psycopg does; the cursor is good until the next transaction."""
        cursor = self._spare.pop() if self._spare else self.cursor()
        self._lent.append(cursor)
        return cursor.execute(query, params, **options)

    def begin(self) -> None:
        """Take back the cursors that were lent."""
        self._spare, self._lent = self._spare + self._lent, []


class Line:
    """The connection of those who append, one at a time; it is kept, and opened anew where it has gone."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Appending | None = None

    @contextmanager
    def transaction(self, hear: Callable[[psycopg.errors.Diagnostic], None]) -> Iterator[Connection[DictRow]]:
        """A transaction; `hear` is told of notices.

        It is one pipeline, which PostgreSQL commits as a whole when it ends, without BEGIN and COMMIT (documentation of
        libpq, pipeline mode). Errors of the database come out as they are, `Unavailable` where there is no connection.
        A connection on which something went wrong is not used again.
        """
        connection = self._ready()
        connection.begin()
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

    def _ready(self) -> Appending:
        if self._connection is not None:
            try:
                check_open(self._connection)
            except psycopg.Error:
                self.close()
        if self._connection is None:
            self._connection = connect_as(Appending, self._conninfo)
            configure(self._connection)
            _widen(self._connection)
        return self._connection


def _widen(connection: Connection[DictRow]) -> None:
    """Let more be sent than the server has read, as far as the system allows; TCP sees to that itself.

    Else a Unix socket takes no more from 52 KiB on, and what comes next is not decided while the server works.
    """
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as sent:
        if sent.family == socket.AF_UNIX:
            sent.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
