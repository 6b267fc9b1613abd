"""Heartbeats: which owners have said lately that they live, by the database's clock.

A lease that ran out is seen (`Ledger.owners`), and means nothing by itself: an owner may be slow, or cut off, and still
at work. Only who recovers decides what it means, and fences the owner if so.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ledger import clock, forks
from ledger.domain.cursor import Cursor
from ledger.domain.epoch import EpochStart, Lease, OwnerEpoch
from ledger.errors import StaleEpoch, Unavailable
from ledger.store.connection import Connect
from ledger.store.mapper import mark_of
from ledger.store.statements import load_statements

SQL = load_statements("ledger.owners")
BEATS_IN_A_LEASE = 3


class LeaseTable:
    """The leases (`ledger.asking.answers.Leases`), over connections that the caller opens."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    def renew(self, start: EpochStart, seconds: float) -> None:
        """Let the lease end `seconds` from now; an older epoch never takes it from a newer one.

        Nothing is done where the event that the epoch started with is no longer on record.
        """
        with self._connect() as connection:
            connection.execute(SQL["upsert_lease"], _told(start.of, start.place) | {"seconds": seconds})

    def release(self, holder: OwnerEpoch, because: Cursor) -> None:
        """Drop the lease of this epoch and of every earlier one, while the event that says so is on record."""
        with self._connect() as connection:
            connection.execute(SQL["delete_lease"], _told(holder, because))

    def all(self) -> list[Lease]:
        """Every lease, by owner."""
        with self._connect() as connection:
            return [Lease(**row) for row in connection.execute(SQL["select_leases"]).fetchall()]

    def keep(self, beat: Callable[[], None], seconds: float) -> "BeatThread":
        """Call `beat` three times in each lease, until it raises `StaleEpoch` or is stopped."""
        beats = BeatThread(beat, seconds / BEATS_IN_A_LEASE)
        beats.go_on()
        return beats


def _told(holder: OwnerEpoch, place: Cursor) -> dict[str, Any]:
    mark = mark_of(place.event_id) if place.event_id is not None else b""
    return {**holder._asdict(), "position": int(place), "mark": mark}


class BeatThread:
    """A thread that calls `beat` each so many seconds; a child has one of its own once it goes on.

    A child that never does keeps no lease, so that an owner seems to live only where somebody does its work.
    """

    def __init__(self, beat: Callable[[], None], seconds: float) -> None:
        self._beat = beat
        self._seconds = seconds
        self._stopped = False
        self.inherited = False
        self._rest()
        forks.register(self)

    def _rest(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin_anew(self) -> None:
        """Have no thread, in a child."""
        self._rest()
        self.inherited = True

    def go_on(self) -> None:
        """Have a thread, unless it was stopped."""
        if self._thread is not None or self._stopped:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_beat, args=(self._beat, self._seconds, self._ended), daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """Call no more."""
        self._stopped = True
        self._ended.set()
        if self._thread is not None:
            self._thread.join()


def _beat(beat: Callable[[], None], seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds):
        # The next beat may come through; until then the lease runs. One that comes later than the next is of no use.
        with suppress(Unavailable), clock.until(clock.monotonic() + seconds):
            try:
                beat()
            except StaleEpoch:
                return
