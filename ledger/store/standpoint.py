"""What a process knows of its ledger: how far it has seen it, and what it was told of its own appends.

What it knows stays true while the ledger goes forward. A ledger that was restored, or failed over with loss, has
another event at the position that is known, or none; whatever was appended since, nothing that was read before may then
be believed.
"""

import threading
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from ledger import forks
from ledger.domain.cursor import Cursor
from ledger.domain.receipt import Receipt
from ledger.errors import PositionAhead

RECEIPTS_MAX = 10_000
MARK_BYTES_MAX = 256


class Known(NamedTuple):
    """An event that is on record: its place, and the bytes that its state begins with."""

    cursor: Cursor
    mark: bytes


NOTHING = Known(Cursor(0), b"")


class Standpoint:
    """The furthest event that a process knows, and its newest receipts; safe to share between threads."""

    def __init__(self) -> None:
        self.begin_anew()
        self.known = NOTHING
        self._receipts: deque[Receipt] = deque(maxlen=RECEIPTS_MAX)
        forks.register(self)

    def begin_anew(self) -> None:
        """Be free: in a child, a thread of its parent may have held it. What was known holds there too."""
        self._lock = threading.Lock()

    def reach(self, cursor: Cursor, mark: bytes) -> None:
        """Know an event that is on record; `mark` are the first bytes of its state."""
        with self._lock:
            if cursor > self.known.cursor:
                self.known = Known(cursor, mark[:MARK_BYTES_MAX])

    def keep(self, receipts: Iterable[Receipt]) -> None:
        """Keep receipts, the newest of all."""
        with self._lock:
            self._receipts.extend(receipts)

    @property
    def receipts(self) -> list[Receipt]:
        """The newest receipts, the oldest first."""
        with self._lock:
            return list(self._receipts)

    def begin(self, known: Known = NOTHING, receipts: Iterable[Receipt] = ()) -> None:
        """Know this and no more."""
        with self._lock:
            self.known = known
            self._receipts = deque(receipts, maxlen=RECEIPTS_MAX)


def check_standing(known: Cursor, head: int, *, stands: bool | None) -> None:
    """Raise `PositionAhead` unless a known event still stands where it stood; `head` is where the ledger ends."""
    if known and not stands:
        raise position_ahead(known, head)


def position_ahead(known: Cursor, head: int) -> PositionAhead:
    """The error for whoever knows an event that the ledger no longer has."""
    what = f"event {known.event_id} at position {known:,}" if known.event_id else f"an event at position {known:,}"
    return PositionAhead(
        f"The ledger must have {what}, which is known here, and has not; it ends at {head:,}: it was restored or "
        "failed over with loss (see jobledger lost, or Ledger.accept_loss).",
        position=int(known),
        event_id=known.event_id,
        head=head,
    )
