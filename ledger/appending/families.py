"""The children of the parents that one append is about, as they stand under the lock and as its decisions leave them.

Of a few children all are read, in the round trip that reads their parents. Of many only what a decision asks for: with
ten thousand siblings the end of a child must cost what it costs with ten.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from ledger.appending.shelf import Streams
from ledger.domain.job import Job
from ledger.domain.quorum import FAILURES, Child, Family, unsettled_beside
from ledger.domain.states import Outcome
from ledger.store.views import Asked, Session, Views, nothing

FEW_MAX = 16  # of one parent, those that were refused among them


class _Many(NamedTuple):
    """A family that was read in part, and the children that this append spoke of then."""

    family: Family
    spoken_of: frozenset[str]


class _Open(NamedTuple):
    """Children that were open when they were asked for, how many were asked for, and whether that is all of them."""

    names: deque[str]
    size: int
    all: bool


class Families:
    """Reads children, and tells them as the append has left them so far: `streams` are those that it knows."""

    def __init__(self, session: Session, views: Views, streams: Streams) -> None:
        self._session = session
        self._views = views
        self._streams = streams
        self._few: dict[str, list[Child] | None] = {}  # None of a parent of many
        self._with_children: set[str] = set()
        self._many: dict[str, _Many] = {}
        self._open: dict[str, _Open] = {}
        self._planned: dict[str, list[str]] = {}
        self._planned_open: dict[str, deque[str]] = {}

    def ask(self, parents: Iterable[str]) -> Asked[None]:
        """Ask for the children of parents, where those are few."""
        fresh = [parent for parent in dict.fromkeys(parents) if parent not in self._few]
        if not fresh:
            return nothing
        asked = self._views.some_children(self._session, fresh, FEW_MAX + 1)

        def read() -> None:
            found = asked()
            for parent in fresh:
                told = found.get(parent, [])
                few = [child for child in told if child.outcome is not Outcome.REFUSED]
                self._few[parent] = few if len(told) <= FEW_MAX else None
                if few:
                    self._with_children.add(parent)
                if len(told) > FEW_MAX:  # those that are open come before all others
                    names = [child.job for child in few if child.outcome is None]
                    self._open[parent] = _Open(deque(names), len(told), len(names) < len(told))

        return read

    def plan(self, parent: str, child: str) -> None:
        """Take in that a child was planned."""
        self._planned.setdefault(parent, []).append(child)
        self._planned_open.setdefault(parent, deque()).append(child)

    def all_planned(self) -> Iterator[str]:
        """Every child that was planned in this append."""
        return (child for below in self._planned.values() for child in below)

    def has_child(self, parent: str) -> bool:
        """Whether there is a child that was not refused."""
        few = self._of_few(parent)  # which tells of one, if not all of those are refused
        if parent in self._planned or parent in self._with_children:
            return True
        return few is None and self._views.has_child(self._session, parent)

    def family(self, parent: str) -> Family:
        """The children, as far as they count for their parent."""
        few = self._of_few(parent)
        family = Family(few) if few is not None else self._of_many(parent)
        names = {child.job for child in family.told}
        planned = [name for name in self._planned.get(parent, []) if name not in names]
        told = [self._as_it_stands(child) for child in family.told]
        return replace(family, told=told + [_child(job) for job in map(self._streams.job, planned) if job])

    def open_children(self, parent: str) -> Iterator[str]:
        """The children that are not closed."""
        few = self._of_few(parent)
        if few is None:
            yield from self._open_of_many(parent)
        else:
            yield from self._still_open([child.job for child in few if child.outcome is None])
        yield from self._from_first_open(self._planned_open.get(parent, deque()))

    def unsettled_beside(self, parent: str, child: str) -> bool:
        """Whether a parent stays without a value unless this child fails, as far as a short look tells."""
        few = self._of_few(parent)
        if few is not None:
            return unsettled_beside(self.family(parent).told, child)
        below = self._below(parent)
        if any(job.outcome in FAILURES for job in below.values()):
            return False
        return self._views.unsettled(self._session, parent, [child, *below])

    def _of_few(self, parent: str) -> list[Child] | None:
        if parent not in self._few:
            self.ask([parent])()
        return self._few[parent]

    def _of_many(self, parent: str) -> Family:
        spoken_of = frozenset(self._below(parent))
        known = self._many.get(parent)
        if known is None or spoken_of - known.spoken_of:
            known = _Many(self._views.family(self._session, parent, sorted(spoken_of)), spoken_of)
            self._many[parent] = known
        return known.family

    def _open_of_many(self, parent: str) -> Iterator[str]:
        """Names of children that were open when they were asked for, more of them as long as more are looked at."""
        asked = self._open[parent]
        yield from self._from_first_open(asked.names)
        while not asked.all:
            asked = self._ask_open(parent, 2 * asked.size)
            yield from self._from_first_open(asked.names)

    def _ask_open(self, parent: str, size: int) -> _Open:
        names = self._views.open_children(self._session, parent, size)
        asked = self._open[parent] = _Open(deque(names), size, len(names) < size)
        return asked

    def _from_first_open(self, names: deque[str]) -> Iterator[str]:
        """Those of some names that are open; as one that is closed stays so, the first of them are forgotten."""
        while names and not self._is_open(names[0]):
            names.popleft()
        return self._still_open(names)

    def _still_open(self, names: Iterable[str]) -> Iterator[str]:
        return (name for name in names if self._is_open(name))

    def _below(self, parent: str) -> Mapping[str, Job]:
        return {job.id: job for job in self._streams.jobs() if job.parent == parent}

    def _is_open(self, name: str) -> bool:
        job = self._streams.job(name)
        return job is None or not job.closed

    def _as_it_stands(self, child: Child) -> Child:
        job = self._streams.job(child.job)
        return child if job is None else _child(job)


def _child(job: Job) -> Child:
    return Child(job.id, job.outcome, job.required, job.retry_of)
