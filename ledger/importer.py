"""Records what has already happened, a transition record a line, in pages of one append each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ledger import clock
from ledger.admission import Beside
from ledger.domain.commands import Transition, parse_transition
from ledger.domain.decisions import Disposition
from ledger.errors import LedgerError, MalformedRecord
from ledger.event_ids import identified
from ledger.judgement import judge_admitting, judge_past
from ledger.store.recorder import Judge, Receipt, Recorder

PAGE_LINES = 500
LINE_BYTES_MAX = 64 * 1024 * 1024


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
        self._page = _Page()

    def read(self, lines: Iterable[bytes], on_page: Callable[[ImportSummary], None]) -> None:
        """Record every line; a page at a time is kept in memory."""
        for number, line in enumerate(lines, start=1):
            if line.strip():
                self._take(number, line)
            if len(self._page.batch) >= PAGE_LINES:
                self._hand_over()
                on_page(self.summary)
        self._hand_over()

    def _take(self, number: int, line: bytes) -> None:
        self.summary.read += 1
        try:
            self._page.batch.append(identified(_parse_line(line)))
        except LedgerError as error:
            self._reject(Rejected(number, line, error))
        else:
            self._page.lines.append((number, line))

    def _hand_over(self) -> None:
        page, self._page = self._page, _Page()
        if not page.batch:
            return
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


def _parse_line(line: bytes) -> Transition:
    if len(line) > LINE_BYTES_MAX:
        raise MalformedRecord(f"A line must have {LINE_BYTES_MAX:,} bytes at most, and this has {len(line):,}.")
    return parse_transition(line, clock.new_id)
