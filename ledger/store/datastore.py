"""The connections that the threads of one process share, as the library's recorder wants them."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection
from psycopg.rows import DictRow

from ledger.store.connection import (
    CONNECT_SECONDS_MAX,
    Bounded,
    closed_on_error,
    configure,
    connect,
    in_our_words,
    translate,
)
from ledger.store.pool import Pool

RESERVED = 3  # of a process: one connection to append, one to follow, one to look why another is silent
ASK_AFTER_SECONDS = 0.1


class Datastore(PostgresDatastore):
    """The library's datastore over a conninfo; its five fields would lose sslmode, options and further hosts."""

    def __init__(self, conninfo: str, *, pool_size: int = 1, max_overflow: int = 12) -> None:
        """The sizes are those of what answers questions; `RESERVED` others are not of the pool."""
        super().__init__("", "", "", "", "", schema="ledger", originator_id_type="text")
        self.conninfo = conninfo
        self.speaker = ""
        self.pool.close()
        size = pool_size + max_overflow
        self.pool: Pool = Pool(  # type: ignore[assignment]  # what the library asks of its own, ours can do
            self._make, self.check, size=size, wait_seconds=CONNECT_SECONDS_MAX, told_size=size + RESERVED
        )

    def register_type_adapters(self) -> None:
        """As the library does, which asks the database; its errors come out in our words."""
        try:
            super().register_type_adapters()
        except PersistenceError as error:
            raise (translate(error.__cause__) if isinstance(error.__cause__, psycopg.Error) else error) from error

    def _make(self) -> Bounded:
        connection = connect(self.conninfo, self.speaker)
        with closed_on_error(connection):
            configure(connection)
        return connection

    def check(self, connection: Bounded, idle_seconds: float = 0.0) -> None:
        """Raise `psycopg.Error` where a connection cannot be used any more; let it say who speaks."""
        check_open(connection, idle_seconds)
        if connection.speaker != self.speaker and (name := connection.speak_as(self.speaker)):
            connection.execute(name)

    @contextmanager
    def raw_connection(self) -> Iterator[Connection[DictRow]]:
        """A connection; errors of the database come out as they are, `Unavailable` where there is no connection."""
        with self.pool.connection() as connection:
            yield connection

    @contextmanager
    def connection(self) -> Iterator[Connection[DictRow]]:
        """A connection of the pool; errors of the database come out in our words."""
        with in_our_words, self.pool.connection() as connection:
            yield connection


def check_open(connection: Connection[Any], idle_seconds: float) -> None:
    """Raise where the server has ended an idle connection: there is something to read though nothing was asked.

    Of one that was idle for long enough to cost nothing by it, the server is asked: what is between us may have
    forgotten it, and the word that it is ended may be on its way.
    """
    if has_word(connection) or idle_seconds >= ASK_AFTER_SECONDS:
        connection.execute("")


def has_word(connection: Connection[Any]) -> bool:
    """Whether the server has said something over a connection on which nothing was asked, or that is closed."""
    if connection.closed:
        return True
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    return bool(idle.poll(0))
