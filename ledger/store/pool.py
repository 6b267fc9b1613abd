"""Connections that the threads of one process share."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import psycopg
from psycopg import pq

from ledger import clock
from ledger.store.connection import Bounded

IDLE_SECONDS_MAX = 600.0


class Pool:
    """Hands out the connection that was used last; who finds none makes one, as soon as fewer than `size` are out.

    There is no thread that makes connections ahead, and none that waits longer and longer after an outage: whoever asks
    once the database is back, is served at once. Closed, it keeps none.
    """

    def __init__(
        self, make: Callable[[], Bounded], check: Callable[[Bounded], None], *, size: int, wait_seconds: float
    ) -> None:
        self._make = make
        self._check = check
        self._slots = threading.Semaphore(size)
        self._wait_seconds = wait_seconds
        self._idle: deque[tuple[float, Bounded]] = deque()
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Bounded]:
        """A connection, until the end of the block.

        Where all are out for `wait_seconds`, one more is made: a caller's time is worth more than a slot of the server.
        """
        took = self._slots.acquire(timeout=clock.seconds_left(self._wait_seconds))
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            if took:
                self._slots.release()

    def _take(self) -> Bounded:
        while True:
            try:
                _, connection = self._idle.pop()
            except IndexError:
                return self._make()
            try:
                self._check(connection)
            except psycopg.Error:
                connection.close()
            else:
                return connection

    def _give_back(self, connection: Bounded) -> None:
        idle = connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
        if self._closed or connection.heard or not idle:
            connection.close()
            return
        now = clock.monotonic()
        self._idle.append((now, connection))
        with suppress(IndexError):
            while now - self._idle[0][0] > IDLE_SECONDS_MAX:
                self._idle.popleft()[1].close()
        if self._closed:  # meanwhile
            self.close()

    def open(self, *_: Any) -> None:
        """Nothing, since the first who asks opens; the library calls it."""

    def close(self) -> None:
        """Keep none; those that are out are closed when they come back."""
        self._closed = True
        while self._idle:
            with suppress(IndexError):
                self._idle.pop()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
