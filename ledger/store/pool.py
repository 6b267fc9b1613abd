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
from ledger.errors import DatabaseAway, PoolExhausted, Unavailable
from ledger.store import patience
from ledger.store.connection import Bounded
from ledger.store.words import TOO_MANY

IDLE_SECONDS_MAX = 600.0
# For which nobody asks for one more, where no more were given: longer each time.
FULL_SECONDS_MIN, FULL_SECONDS_MAX = 1.0, 30.0


class Pool:
    """Hands out the connection that was used last; who finds none makes one, as long as there are fewer than `size`.

    Who finds none when all are out waits `wait_seconds` at most. So does who is refused one more by a server that has
    too many, or is not answered, as by a pooler that has no session free, while there are others here; those that are
    here are shared then, and of all who would make one more, one tries from time to time. There is no thread that
    makes connections ahead, and none that waits longer and longer after an outage: whoever asks once the database is
    back, is served at once. Closed, it keeps none.
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
        self._out = self._making = 0
        self._room = self._size  # how many there may be, as far as is known
        self._full_until, self._full_seconds = 0.0, FULL_SECONDS_MIN

    @contextmanager
    def connection(self) -> Iterator[Bounded]:
        """A connection, until the end of the block; raises `PoolExhausted` and `DatabaseAway`."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take(self) -> Bounded:
        now = clock.monotonic()
        until = now + clock.seconds_left(self._wait_seconds)
        refused: DatabaseAway | None = None
        while True:
            try:
                idle = self._wait_for_turn(until)
            except Unavailable as error:
                raise refused or error from None
            if idle is not None:
                connection = self._check_idle(now - idle[0], idle[1])
            else:
                try:
                    connection = self._add(until)
                except DatabaseAway as error:
                    if error.facts.get("sqlstate") != TOO_MANY or not self._make_do(refused=True):
                        raise
                    connection, refused = None, error
            if connection is not None:
                return connection

    def _wait_for_turn(self, until: float) -> tuple[float, Bounded] | None:
        """An idle connection, which counts as out from now on, or None of who may make one."""
        with self._changed:
            while not self._idle and not self._may_make():
                left = until - clock.monotonic()
                if left <= 0:
                    raise self._exhausted()
                self._changed.wait(min(left, FULL_SECONDS_MIN))
            if self._idle:
                self._out += 1
                return self._idle.pop()
            if self._out + self._making >= self._room:  # this one tries for all
                self._full_until = clock.monotonic() + self._full_seconds
                self._full_seconds = min(self._full_seconds * 2, FULL_SECONDS_MAX)
            self._making += 1
            return None

    def _may_make(self) -> bool:
        count = self._out + self._making
        if count >= self._size:
            return False
        there_is_room = count < self._room if self._out else not self._making
        return there_is_room or clock.monotonic() >= self._full_until

    def _add(self, until: float) -> Bounded | None:
        """A connection more, which is out; None where another had better be waited for."""
        made: Bounded | None = None
        try:
            with patience.unless(lambda: self._make_do() and (bool(self._idle) or clock.monotonic() >= until)):
                made = self._make()
        except TimeoutError:
            return None
        finally:
            with self._changed:
                self._making -= 1
                if made is not None:
                    self._out += 1
                    if self._out > self._room:  # there is room for more, it seems
                        self._room, self._full_until, self._full_seconds = self._out, 0.0, FULL_SECONDS_MIN
                self._changed.notify()
        return made

    def _make_do(self, *, refused: bool = False) -> bool:
        """Share those that are there, for a while, since one more is not given; false where there are none.

        Where it was `refused`, those that are being made are waited for too. Where it is not answered, they may not be
        either, and each tries for itself, to hear what the database says.
        """
        with self._changed:
            there = self._out + len(self._idle)
            if there:
                self._room = there
            if there or refused:
                self._full_until = max(self._full_until, clock.monotonic() + FULL_SECONDS_MIN)
            return there > 0 or (refused and self._making > 0)

    def _exhausted(self) -> Unavailable:
        seconds = f"{self._wait_seconds:g} s"
        if not self._out:
            return DatabaseAway(f"The database does not answer; check that it runs and JOBLEDGER_DSN ({seconds}).")
        if self._room < self._size:
            sentence = (
                f"The database, or a pooler before it, gives this process no more than {self._room} of {self._size} "
                f"connections to ask with, and all were in use for {seconds}; try again, or let it give more."
            )
        else:
            sentence = (
                f"A process uses {self._told_size} connections at most, and all that answer questions were in use for "
                f"{seconds}; try again, or open the ledger with a larger pool."
            )
        return PoolExhausted(sentence, size=self._told_size, seconds=self._wait_seconds)

    def _check_idle(self, idle_seconds: float, connection: Bounded) -> Bounded | None:
        """The connection, or None where it cannot be used."""
        usable = False
        try:
            self._check(connection, idle_seconds)
            usable = True
        except psycopg.Error:
            return None
        finally:
            if not usable:  # or at an interrupt
                connection.close()
                self._turn_back()
        return connection

    def _turn_back(self) -> None:
        with self._changed:
            self._out -= 1
            self._changed.notify()

    def _give_back(self, connection: Bounded) -> None:
        if connection.process != os.getpid():  # its own, which a child took out of it
            return
        idle = connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
        now = clock.monotonic()
        if self._closed or connection.heard or not idle or connection.had_its_turn:
            connection.close()
        with self._changed:
            self._out -= 1
            if not connection.closed:
                self._idle.append((now, connection))
            old = []
            while self._idle and now - self._idle[0][0] > IDLE_SECONDS_MAX:
                old.append(self._idle.popleft()[1])
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
