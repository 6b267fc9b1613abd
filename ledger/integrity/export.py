"""Writes an export, from one snapshot of the ledger; `exportform` says what it looks like."""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ledger.domain.events import Damaged, Event, Planned, RecordedEvent
from ledger.integrity.checkpoint import SignedCheckpoint, origin_of
from ledger.integrity.claims import newest_signed
from ledger.integrity.exportform import FORMAT, PROOF_HASHES, Transcribe, beside, read_sound
from ledger.integrity.known import gap_spans
from ledger.integrity.leaf import StoredRow, read_leaf
from ledger.integrity.note import encode_base64
from ledger.integrity.proofs import prove_cover
from ledger.integrity.tiles import Tree
from ledger.store.seals import Seals

WINDOW_EVENTS = 8_192


@dataclass(slots=True)
class Exported:
    """What an export holds, once it is written; `unsealed` of its events come after the checkpoint."""

    checkpoint: SignedCheckpoint | None = None
    count: int = 0
    unsealed: int = 0


class Export:
    """One export from one snapshot; `transcribe` writes events as records.

    `positions`, which ascend, are what is selected, everything unless told; `selection` says it in words.
    """

    def __init__(
        self,
        seals: Seals,
        transcribe: Transcribe,
        positions: Iterable[int] | None = None,
        selection: str | None = None,
    ) -> None:
        self._seals = seals
        self._transcribe = transcribe
        self._head = seals.head()
        self._positions = range(1, self._head + 1) if positions is None else positions
        self._selection = selection
        self._taken = array("q")
        self._gaps = array("q")
        self.exported = Exported(newest_signed(seals))

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every line, as a JSON object."""
        yield self._header()
        yield from self._proved_records()
        yield from self._proofs()
        yield self._trailer()

    def records(self) -> Iterator[dict[str, Any]]:
        """The records alone, without what proves them."""
        for record, row, leaf in self._transcribed():
            yield record if "event" in record else record | beside(row, leaf)

    def _header(self) -> dict[str, Any]:
        ledger, signed = self._seals.ledger(), self.exported.checkpoint
        return {
            "export": "header",
            "format": FORMAT,
            "ledger": ledger,
            "origin": origin_of(ledger),
            "checkpoint": str(signed.note) if signed else None,
            "keys": [{"key": row.verifier_key, "rotation": row.rotation} for row in self._seals.public_keys()],
            "selection": self._selection,
        }

    def _proved_records(self) -> Iterator[dict[str, Any]]:
        for record, row, leaf in self._transcribed():
            yield record | beside(row, leaf)
            self._count(row.position)

    def _transcribed(self) -> Iterator[tuple[dict[str, Any], StoredRow, bytes]]:
        """The record of each row that is selected, with the row and its leaf."""
        waiting: deque[tuple[StoredRow, bytes]] = deque()

        def events() -> Iterator[RecordedEvent]:
            for leaf, row, event in self._rows():
                waiting.append((row, leaf))
                yield RecordedEvent(event=event, position=row.position, recorded_at=row.moment)

        for record in self._transcribe(events()):
            row, leaf = waiting.popleft()
            yield record, row, leaf

    def _count(self, position: int) -> None:
        self._taken.append(position)
        self.exported.count += 1
        self.exported.unsealed += position > self._size

    def _rows(self) -> Iterator[tuple[bytes, StoredRow, Event]]:
        """The rows that are selected, and those of the children planned with them."""
        wanted, due = iter(self._positions), 0
        target = next(wanted, None)
        at = 1
        while (target is not None or due) and at <= self._head:
            at = at if due or target is None else max(at, target)
            window = [leaf for page in self._seals.leaves(at - 1, at - 1 + WINDOW_EVENTS) for _, leaf in page]
            for leaf in window:
                row = read_leaf(leaf or b"")
                while target is not None and target < row.position:
                    self._gaps.append(target)
                    target = next(wanted, None)
                if due or target == row.position:
                    event = self._read(row)
                    due += _children(event) - (due > 0)
                    target = next(wanted, None) if target == row.position else target
                    yield leaf or b"", row, event
            at += WINDOW_EVENTS
        while target is not None and target <= self._head:
            self._gaps.append(target)
            target = next(wanted, None)

    def _read(self, row: StoredRow) -> Event:
        """The event of a row, or what stands in its place; raises `SchemaTooNew`."""
        event = read_sound(row)
        if type(event.fact) is Damaged:
            self._seals.check_topics([row.topic])
        return event

    @property
    def _size(self) -> int:
        return self.exported.checkpoint.size if self.exported.checkpoint else 0

    def _proofs(self) -> Iterator[dict[str, Any]]:
        for first, last in gap_spans(position for position in self._gaps if position <= self._size):
            yield {"export": "gap", "first": first, "last": last}
        indexes = sorted(position - 1 for position in (*self._taken, *self._gaps) if position <= self._size)
        cover = prove_cover(Tree(self._seals, self._size).subtree, indexes, self._size)
        while hashes := [encode_base64(one) for one in islice(cover, PROOF_HASHES)]:
            yield {"export": "proof", "hashes": hashes}

    def _trailer(self) -> dict[str, Any]:
        signed = self.exported.checkpoint
        return {
            "export": "trailer",
            "count": self.exported.count,
            "first": self._taken[0] if self._taken else None,
            "last": self._taken[-1] if self._taken else None,
            "head": {
                "position": self._head,
                "size": self._size,
                "root": encode_base64(signed.checkpoint.root) if signed else None,
            },
            "unsealed": self.exported.unsealed,
        }


def _children(event: Event) -> int:
    return event.fact.children if isinstance(event.fact, Planned) else 0
