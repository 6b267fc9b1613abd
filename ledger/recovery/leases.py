"""Heartbeats: which owners have said lately that they live, by the database's clock.

A lease that ran out is seen (`Ledger.owners`), and means nothing by itself: an owner may be slow, or cut off, and still
at work. Only who recovers decides what it means, and fences the owner if so.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from psycopg import Connection

from ledger import clock
from ledger.domain.epoch import Lease, OwnerEpoch
from ledger.errors import StaleEpoch, Unavailable
from ledger.store.statements import load_statements

SQL = load_statements("ledger.recovery")
BEATS_IN_A_LEASE = 3

Connect = Callable[[], AbstractContextManager[Connection[Any]]]


class LeaseTable:
    """The leases (`ledger.answers.Leases`), over connections that the caller opens."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    def renew(self, holder: OwnerEpoch, seconds: float) -> None:
        """Let the lease end `seconds` from now; an older epoch never takes it from a newer one."""
        with self._connect() as connection:
            connection.execute(SQL["upsert_lease"], {**holder._asdict(), "seconds": seconds})

    def release(self, holder: OwnerEpoch) -> None:
        """Drop the lease of this epoch and of every earlier one."""
        with self._connect() as connection:
            connection.execute(SQL["delete_lease"], holder._asdict())

    def all(self) -> list[Lease]:
        """Every lease, by owner."""
        with self._connect() as connection:
            return [Lease(**row) for row in connection.execute(SQL["select_leases"]).fetchall()]

    def keep(self, beat: Callable[[], None], seconds: float) -> Callable[[], None]:
        """Call `beat` three times in each lease, until it raises `StaleEpoch` or the returned function is called."""
        ended = threading.Event()
        thread = threading.Thread(target=_beat, args=(beat, seconds / BEATS_IN_A_LEASE, ended), daemon=True)
        thread.start()

        def stop() -> None:
            ended.set()
            thread.join()

        return stop


def _beat(beat: Callable[[], None], seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds):
        # The next beat may come through; until then the lease runs. One that comes later than the next is of no use.
        with suppress(Unavailable), clock.until(clock.monotonic() + seconds):
            try:
                beat()
            except StaleEpoch:
                return
