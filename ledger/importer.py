"""Records what has already happened, a transition record a line, in pages of one append each."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ledger import clock
from ledger.admission import Beside
from ledger.ahead import ahead
from ledger.domain.commands import Transition, parse_json, parse_transition
from ledger.domain.decisions import Disposition
from ledger.domain.values import LINE_BYTES_MAX
from ledger.errors import LedgerError, MalformedRecord
from ledger.event_ids import identified
from ledger.judgement import judge_admitting, judge_past
from ledger.store.recorder import Judge, Receipt, Recorder

PAGE_LINES = 500
OBJECTS_MAX = 100_000
EXPORTED_BESIDE = frozenset({"position", "recorded_at", "stored"})  # where a record stood, which an import gives anew


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that an import could not take: its number from 1, the line itself, and why."""

    number: int
    line: bytes
    error: LedgerError


@dataclass(frozen=True, slots=True)
class Overlap:
    """A line whose job, or a child planned with it, ran beside jobs that exclude it: its number from 1, and which."""

    number: int
    job: str
    beside: tuple[Beside, ...]


@dataclass(slots=True)
class ImportSummary:
    """What an import did: `recorded` counts events, the others lines; `position` is the ledger's last."""

    read: int = 0
    recorded: int = 0
    unchanged: int = 0
    late: int = 0
    rejected: int = 0
    overlaps: int = 0
    position: int = 0

    def as_json(self) -> dict[str, int]:
        """The summary under the names that every face uses."""
        return {name: getattr(self, name) for name in self.__slots__}

    def count(self, receipt: Receipt) -> None:
        """Take in what became of one line."""
        self.recorded += receipt.events if receipt.disposition is Disposition.RECORDED else 0
        self.unchanged += receipt.disposition is Disposition.UNCHANGED
        self.late += receipt.disposition is Disposition.LATE
        self.overlaps += bool(receipt.overlaps)


@dataclass(slots=True)
class _Page:
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    batch: list[Transition] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def take(self, number: int, line: bytes) -> None:
        """Take in a line, to be recorded or rejected."""
        try:
            said = _parse_line(line)
            if said is None:
                return
            self.batch.append(identified(said))
        except LedgerError as error:
            self.rejected.append(Rejected(number, line, error))
        else:
            self.lines.append((number, line))


def _pages(lines: Iterable[bytes]) -> Iterator[_Page]:
    page = _Page()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            page.take(number, line)
        if len(page.lines) + len(page.rejected) >= PAGE_LINES:
            yield page
            page = _Page()
    yield page


@contextmanager
def _few_collections() -> Iterator[None]:
    """Let the search for cyclic garbage rest: pages are many objects, none of them in a cycle."""
    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(max(before[0], OBJECTS_MAX), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Importer:
    """One import: reads lines, hands over pages, counts, and passes rejected and overlapping lines on."""

    def __init__(
        self,
        recorder: Recorder,
        on_reject: Callable[[Rejected], None],
        on_overlap: Callable[[Overlap], None],
        *,
        admit: bool,
    ) -> None:
        self.summary = ImportSummary()
        self._recorder = recorder
        self._on_reject = on_reject
        self._on_overlap = on_overlap
        self._judge: Judge = judge_admitting if admit else judge_past

    def read(self, lines: Iterable[bytes], on_page: Callable[[ImportSummary], None]) -> None:
        """Record every line; three pages at a time are kept in memory."""
        with _few_collections():
            for page in ahead(_pages(lines)):
                self._hand_over(page)
                on_page(self.summary)

    def _hand_over(self, page: _Page) -> None:
        self.summary.read += len(page.lines) + len(page.rejected)
        for rejected in page.rejected:
            self._reject(rejected)
        answers = self._recorder.append(page.batch, self._judge)
        for (number, line), answer in zip(page.lines, answers, strict=True):
            if isinstance(answer, LedgerError):
                self._reject(Rejected(number, line, answer))
                continue
            self.summary.count(answer)
            if answer.overlaps:
                self._on_overlap(Overlap(number, answer.job, answer.overlaps))

    def _reject(self, rejected: Rejected) -> None:
        self.summary.rejected += 1
        self._on_reject(rejected)


def _parse_line(line: bytes) -> Transition | None:
    """The transition of a line; None for a line of an export that is no record: its header, proofs and trailer."""
    if len(line) > LINE_BYTES_MAX:
        raise MalformedRecord(f"A line must have {LINE_BYTES_MAX:,} bytes at most, and this has {len(line):,}.")
    said = parse_json(line)
    if isinstance(said, dict):
        if "export" in said and "event" not in said:
            return None
        for name in EXPORTED_BESIDE & said.keys():
            del said[name]
    return parse_transition(said, clock.new_id)
