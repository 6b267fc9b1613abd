"""What a ledger had acknowledged and no longer has, since it was restored or failed over with loss; how to go on."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ledger.domain.cursor import Cursor, asked_place
from ledger.domain.receipt import Receipt
from ledger.errors import MalformedCursor, OutcomeUnknown
from ledger.store.feed import Feed
from ledger.store.standpoint import RECEIPTS_MAX, Standpoint

JOBS_NAMED_MAX = 100


class Loss(NamedTuple):
    """What is gone: receipts of this process, and cursors that were kept; and where the ledger ends now."""

    receipts: Sequence[Receipt]
    cursors: Sequence[Cursor]
    end: Cursor

    def __bool__(self) -> bool:
        """Whether anything is gone."""
        return bool(self.cursors)

    @property
    def known(self) -> Cursor:
        """The furthest of what is gone."""
        return max(self.cursors, default=Cursor(0))

    def as_json(self) -> dict[str, Any]:
        """The loss under the names that every face uses."""
        return {
            "lost": bool(self),
            "cursors": [cursor.text for cursor in self.cursors],
            "receipts": [{"job": it.job, "version": it.version, "cursor": it.position.text} for it in self.receipts],
            "end": self.end.text,
        }


class Losses:
    """Compares what a process was told with what is on record; `record` puts a loss there."""

    def __init__(self, feed: Feed, standpoint: Standpoint, record: Callable[[Mapping[str, Any]], Receipt]) -> None:
        self._feed = feed
        self._standpoint = standpoint
        self._record = record
        self._accepted: deque[str] = deque(maxlen=RECEIPTS_MAX)

    def find(self, kept: Iterable[int]) -> Loss:
        """What is gone; raises `BadInput` for what is no place."""
        return self._find(_asked(kept))

    def _find(self, kept: Sequence[Cursor]) -> Loss:
        receipts = self._standpoint.receipts
        known = {cursor.text: cursor for cursor in (*kept, self._standpoint.known.cursor) if cursor}
        told = {receipt.position.text: receipt.position for receipt in receipts}
        gone = {cursor.text for cursor in self._feed.gone((known | told).values())}
        cursors = sorted((cursor for text, cursor in known.items() if text in gone), key=int)
        lost = [receipt for receipt in receipts if receipt.position.text in gone]
        if lost and not cursors:
            cursors = [max((receipt.position for receipt in lost), key=int)]
        return Loss(lost, cursors, self._feed.end(proved=False))

    def accept(self, kept: Iterable[int], said: Mapping[str, Any]) -> Loss:
        """Put what is gone on record, forget it, and go on; what could not be recorded is not forgotten."""
        places = _asked(kept)
        try:
            return self._accept(places, said)
        except OutcomeUnknown as error:
            raise error.by(partial(self.accept, places, said)) from error

    def _accept(self, kept: Sequence[Cursor], said: Mapping[str, Any]) -> Loss:
        loss = self._find(kept)
        cursors = [cursor.text for cursor in loss.cursors]
        if not loss.receipts and {*cursors} <= {*self._accepted}:
            return loss
        before, receipts = self._standpoint.known, self._standpoint.receipts
        lost = {receipt.position.text for receipt in loss.receipts}
        self._standpoint.begin(receipts=(receipt for receipt in receipts if receipt.position.text not in lost))
        try:
            self._record(
                _record_of(loss, self._feed.ledger()) | {name: it for name, it in said.items() if it is not None}
            )
        except BaseException:
            self._standpoint.begin(before, receipts)
            raise
        self._accepted.extend(cursors)
        return loss


def _asked(kept: Iterable[int]) -> list[Cursor]:
    if isinstance(kept, str | bytes) or not isinstance(kept, Iterable):
        raise MalformedCursor(f"What was kept must be a list of cursors, and this is {repr(kept)[:80]}.")
    return [asked_place("A place that was kept", place) for place in kept]


def _record_of(loss: Loss, ledger: str) -> dict[str, Any]:
    jobs = list(dict.fromkeys(receipt.job for receipt in loss.receipts))
    return {
        "event": "loss_accepted",
        "ledger": ledger,
        "known_at": int(loss.known),
        "known_id": loss.known.event_id,
        "ends_at": int(loss.end),
        "ends_id": loss.end.event_id,
        "receipts": len(loss.receipts),
        "jobs": jobs[:JOBS_NAMED_MAX],
    }
