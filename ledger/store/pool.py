"""Connections that the threads of one process share."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import psycopg
from psycopg import pq

from ledger import clock, forks
from ledger.errors import DatabaseAway, PoolExhausted
from ledger.store.connection import TOO_MANY, Bounded

IDLE_SECONDS_MAX = 600.0
FULL_SECONDS = 1.0  # for which a server that takes no more connections is not asked for another


class Pool:
    """Hands out the connection that was used last; who finds none makes one, as long as there are fewer than `size`.

    Who finds none when all are out waits `wait_seconds` at most, and so does who is refused one by a server that has
    too many while there are others here. There is no thread that makes connections ahead, and none that waits longer
    and longer after an outage: whoever asks once the database is back, is served at once. Closed, it keeps none.
    """

    def __init__(
        self,
        make: Callable[[], Bounded],
        check: Callable[[Bounded, float], None],
        *,
        size: int,
        wait_seconds: float,
        told_size: int | None = None,
    ) -> None:
        """`check` raises where a connection that was idle for so many seconds cannot be used; `told_size` is told."""
        self._make = make
        self._check = check
        self._size = size
        self._told_size = told_size or size
        self._wait_seconds = wait_seconds
        self._closed = False
        self.begin_anew()
        forks.register(self)

    def begin_anew(self) -> None:
        """Have no connection."""
        self._changed = threading.Condition(threading.Lock())
        self._idle: deque[tuple[float, Bounded]] = deque()
        self._out = 0
        self._full_until = 0.0

    @contextmanager
    def connection(self) -> Iterator[Bounded]:
        """A connection, until the end of the block; raises `PoolExhausted`."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take(self) -> Bounded:
        until = clock.monotonic() + clock.seconds_left(self._wait_seconds)
        refused: DatabaseAway | None = None
        while True:
            try:
                idle = self._wait_for_turn(until)
            except PoolExhausted as error:
                raise refused or error from None
            try:
                connection = self._check_idle(*idle) if idle else self._make()
            except DatabaseAway as error:
                self._turn_back()
                if not self._may_wait(error):
                    raise
                refused = error
            except BaseException:
                self._turn_back()
                raise
            else:
                if connection is not None:
                    return connection
                self._turn_back()

    def _wait_for_turn(self, until: float) -> tuple[float, Bounded] | None:
        """An idle connection, or None of who may make one; either counts as out from now on."""
        with self._changed:
            while not self._idle and not self._may_make():
                left = until - clock.monotonic()
                if left <= 0:
                    raise self._exhausted()
                self._changed.wait(min(left, FULL_SECONDS))
            self._out += 1
            return self._idle.pop() if self._idle else None

    def _may_make(self) -> bool:
        return self._out < self._size and (not self._out or clock.monotonic() >= self._full_until)

    def _exhausted(self) -> PoolExhausted:
        return PoolExhausted(
            f"A process uses {self._told_size} connections at most, and all that answer questions were in use for "
            f"{self._wait_seconds:g} s; try again, or open the ledger with a larger pool.",
            size=self._told_size,
            seconds=self._wait_seconds,
        )

    def _check_idle(self, since: float, connection: Bounded) -> Bounded | None:
        """The connection, or None where it cannot be used."""
        try:
            self._check(connection, clock.monotonic() - since)
        except psycopg.Error:
            connection.close()
            return None
        except BaseException:  # an interrupt
            connection.close()
            raise
        return connection

    def _may_wait(self, error: DatabaseAway) -> bool:
        """Whether the server has too many connections, of which some are ours and come back."""
        if error.facts.get("sqlstate") != TOO_MANY:
            return False
        with self._changed:
            self._full_until = clock.monotonic() + FULL_SECONDS
            return bool(self._out or self._idle)

    def _turn_back(self) -> None:
        with self._changed:
            self._out -= 1
            self._changed.notify()

    def _give_back(self, connection: Bounded) -> None:
        if connection.process != os.getpid():  # its own, which a child took out of it
            return
        idle = connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
        now = clock.monotonic()
        if self._closed or connection.heard or not idle:
            connection.close()
        with self._changed:
            self._out -= 1
            if not connection.closed:
                self._idle.append((now, connection))
            old = [self._idle.popleft()[1] for since, _ in [*self._idle] if now - since > IDLE_SECONDS_MAX]
            self._changed.notify()
        for each in old:
            each.close()
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
