"""Records what has already happened, a transition record a line, in pages of one append each.

A page is parsed while the database works on the one before it: whenever that append would wait.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from ledger.appending.judge import Judge, judge_admitting, judge_past
from ledger.appending.recorder import Recorder
from ledger.domain.admission import Beside
from ledger.domain.commands import Transition
from ledger.domain.decisions import Disposition
from ledger.domain.receipt import Receipt
from ledger.errors import LedgerError
from ledger.garbage import Resting
from ledger.records.ahead import Ahead
from ledger.records.lines import PAGE_LINES_MAX, RecordLine, pages, parse_line


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that an import could not take: its number from 1, the line itself, and why."""

    number: int
    line: bytes
    error: LedgerError


@dataclass(frozen=True, slots=True)
class Overlap:
    """A line whose job, or a child planned with it, ran beside jobs that exclude it: its number from 1, and which.

    A hundred at most are named; `count` says how many there are.
    """

    number: int
    job: str
    beside: tuple[Beside, ...]
    count: int


@dataclass(slots=True)
class ImportSummary:
    """What an import did: `recorded` counts events, the others lines; `position` is the ledger's last, so far."""

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
        self.position = max(self.position, receipt.position)


Parsed = Transition | LedgerError | None  # None of a line that is no record

_RESTING = Resting()  # pages are many objects, none of them in a cycle


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
        """Record every line; four pages at a time are kept in memory."""
        with _RESTING, closing(Ahead(pages(lines))) as taken:
            reading = Reading(taken)
            for page, parsed in reading:
                self._hand_over(page, parsed, reading.go_on)
                on_page(self.summary)

    def _hand_over(self, page: Sequence[RecordLine], parsed: Sequence[Parsed], meanwhile: Callable[[], None]) -> None:
        transitions = [(line, it) for line, it in zip(page, parsed, strict=True) if it is not None]
        answers = self._recorder.append([it for _, it in transitions], self._judge, meanwhile)
        self.summary.read += len(transitions)
        for ((number, line), _), answer in zip(transitions, answers, strict=True):
            if isinstance(answer, LedgerError):
                self.summary.rejected += 1
                self._on_reject(Rejected(number, line, answer))
                continue
            self.summary.count(answer)
            if answer.overlaps:
                self._on_overlap(Overlap(number, answer.job, answer.overlaps, answer.overlapping))


PARSED_AT_ONCE = PAGE_LINES_MAX // 2  # an append waits twice


class Reading:
    """The pages with what their lines ask for, each parsed as far as there was time before it is asked for."""

    def __init__(self, taken: Ahead[Sequence[RecordLine]]) -> None:
        self._taken = taken
        self._parsed: list[Parsed] = []  # of the page that comes next

    def __iter__(self) -> Iterator[tuple[Sequence[RecordLine], list[Parsed]]]:
        while (page := self._taken.take()) is not None:
            parsed, self._parsed = self._parsed, []
            yield page, parsed + [parse_line(line) for _, line in page[len(parsed) :]]

    def go_on(self) -> None:
        """Parse some more lines of the next page, where it is there."""
        page = self._taken.there() or ()
        begin = len(self._parsed)
        self._parsed += [parse_line(line) for _, line in page[begin : begin + PARSED_AT_ONCE]]
