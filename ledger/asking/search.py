"""What auditors are answered: the events that a filter finds, page by page, and how long jobs took."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ledger.domain.cursor import asked_place
from ledger.domain.entities import EntityRef
from ledger.domain.events import RecordedEvent
from ledger.domain.filters import Filter, TermKey, parse_filter
from ledger.domain.numbers import asked_number, asked_page
from ledger.errors import LimitExceeded, MalformedFilter

PAGE_ENTRIES = 500
PAGE_ENTRIES_MAX = 10_000

Tell = Callable[[int, int], None]
Prove = Callable[[int], None]  # raises where a cursor names an event that is not there


def tell_nobody(_position: int, _goal: int) -> None:
    """For a caller who does not want to hear how far something has come."""


def believe(_place: int) -> None:
    """For a caller who has no ledger to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """An event that was found, with what was so of its job then.

    `actor`, `owner` and `executor` are those of the event or, where it names none, of its job. `seconds` is how long a
    job took that this event closed; `revised` the position at which that outcome was resolved or disputed. `entities`
    are what the event names and what its job holds as far as the answer goes.
    """

    entry: RecordedEvent
    type: str | None
    parent: str | None
    actor: str | None
    owner: str | None
    executor: str | None
    seconds: float | None
    revised: int | None
    entities: Sequence[EntityRef]

    @property
    def position(self) -> int:
        """The place of the event in the ledger."""
        return self.entry.position

    def as_json(self) -> dict[str, Any]:
        """What was so then, ready for JSON; the event itself is a transition record."""
        fields = {name: getattr(self, name) for name in ("type", "parent", "actor", "owner", "executor")}
        entities = [{"type": entity.type, "id": entity.id} for entity in self.entities]
        return fields | {"entities": entities, "seconds": self.seconds, "revised": self.revised}


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Events that were found, true up to a position; `more` says that a further page may follow the last of them."""

    entries: Sequence[HistoryEntry]
    position: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long the jobs of one outcome took (of all, where `outcome` is None), in seconds.

    A job takes from its first work, else from when it was sent or planned; one that was refused or abandoned took no
    time, and is not `timed`. p50 and p95 are the times within which half and 95 of 100 of these ended.
    """

    outcome: str | None
    jobs: int
    timed: int
    p50: float | None
    p95: float | None
    max: float | None

    def as_json(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of what is found is asked for: between two positions, both left out, from one end, so many.

    Where `upto` is given, as the ledger stood at that position.
    """

    before: int | None = None
    after: int | None = None
    oldest: bool = False
    limit: int | None = None
    upto: int | None = None


class Histories(Protocol):
    """Who searches the history."""

    def catch_up(self, tell: Tell) -> None:
        """Bring the history to the end of the ledger as it is now, where this may be written; `tell` hears how far."""

    def page(self, which: Filter, now: datetime, window: Window) -> HistoryPage:
        """What a filter finds in a window."""

    def durations(self, which: Filter, now: datetime) -> tuple[Sequence[Durations], int]:
        """How long the jobs took whose outcome was given by what is found; the position to which that is true."""


class Search:
    """A question about history: a filter, and the time from which its relative times count.

    Each answer first lets the history catch up with the ledger as it stands; `tell` hears its position and its goal
    where that takes more than a page. With `upto`, as the ledger stood at that position: nothing later is told, neither
    of revisions nor of what jobs hold.
    """

    def __init__(
        self,
        histories: Histories,
        which: str | Filter,
        now: datetime,
        tell: Tell | None = None,
        *,
        upto: int | None = None,
        prove: Prove = believe,
    ) -> None:
        self._histories = histories
        self._prove = prove
        if upto is not None:
            prove(asked_place("The position that a search goes up to", upto))
        self._upto = upto
        self._now = now
        self._tell = tell or tell_nobody
        self.filter = parse_filter(str(which))

    @property
    def by_time(self) -> bool:
        """Whether it asks by the times at which the ledger recorded."""
        return any(term.key in (TermKey.BEFORE, TermKey.AFTER) for term in self.filter.terms)

    def page(
        self, *, before: int | None = None, after: int | None = None, oldest: bool = False, limit: int = PAGE_ENTRIES
    ) -> HistoryPage:
        """The newest events that are found, or the oldest, between two positions that are left out.

        The next page is `before` the last one's position (`after` it, where the oldest come first): whatever is written
        meanwhile, nothing is told twice or left out. Raises `LimitExceeded` beyond 10,000.
        """
        asked_page(before, asked_number("A limit", limit))
        if after is not None:
            asked_number("The position that a page begins after", after, least=0)
        if limit > PAGE_ENTRIES_MAX:
            raise LimitExceeded(
                f"A page of history must have 1 to {PAGE_ENTRIES_MAX:,} entries, and {limit:,} were asked for.",
                limit=PAGE_ENTRIES_MAX,
                found=limit,
            )
        for place in (before, after):
            if place is not None:
                self._prove(place)
        self._histories.catch_up(self._tell)
        window = Window(before, after, oldest=oldest, limit=limit, upto=self._upto)
        return self._histories.page(self.filter, self._now, window)

    def entries(
        self,
        *,
        before: int | None = None,
        after: int | None = None,
        oldest: bool = False,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        """All events that are found, or so many, read page by page."""
        asked_page(before, limit)
        left = limit
        while left is None or left > 0:
            size = PAGE_ENTRIES if left is None else min(left, PAGE_ENTRIES)
            page = self.page(before=before, after=after, oldest=oldest, limit=size)
            yield from page.entries
            if not page.more:
                return
            last = page.entries[-1].position
            before, after = (before, last) if oldest else (last, after)
            left = None if left is None else left - size

    def durations(self) -> tuple[Sequence[Durations], int]:
        """How long jobs took, by outcome, then all together, with the position to which that is true.

        A job counts where the event that gave its outcome, as it stands, is found.
        """
        if self._upto is not None:
            raise MalformedFilter("How long jobs took is told as it stands now, and not as of a moment before.")
        self._histories.catch_up(self._tell)
        return self._histories.durations(self.filter, self._now)
