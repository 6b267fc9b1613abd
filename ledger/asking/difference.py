"""What is different between two moments: jobs opened, closed and changed, entities that became busy or free."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.asking.answers import JobView, Recall, Was
from ledger.domain.entities import EntityRef
from ledger.domain.moment import AsOf
from ledger.domain.states import Flag, Outcome
from ledger.domain.values import print_time
from ledger.errors import MalformedRecord

ENTITIES_ASKED_MAX = 500
Fits = Callable[[JobView], bool]


@dataclass(frozen=True, slots=True)
class JobChange:
    """A job at two moments; `before` is None where it was not on record."""

    before: JobView | None
    after: JobView

    @property
    def opened(self) -> bool:
        """Whether it was planned meanwhile."""
        return self.after.outcome != Outcome.REFUSED and (
            self.before is None or self.before.planned_position != self.after.planned_position
        )

    @property
    def closed(self) -> bool:
        """Whether it was closed meanwhile, or refused."""
        done_before = self.before is not None and self.before.done and not self.opened
        return self.after.done and not done_before

    @property
    def changed(self) -> bool:
        """Whether it is in another state, but was neither opened nor closed."""
        return not (self.opened or self.closed) and _state(self.before) != _state(self.after)

    def as_json(self) -> dict[str, Any]:
        """The change, ready for JSON."""
        after = self.after
        return {
            "job": after.job,
            "type": after.type,
            "before": _state(self.before),
            "after": _state(after),
            "position": after.position,
        }


@dataclass(frozen=True, slots=True)
class Diff:
    """What is different between two moments; a job that was opened and closed meanwhile is in both lists.

    An entity that became busy and free again meanwhile is in none. That a job became overdue is no change.
    """

    earlier: AsOf
    later: AsOf
    opened: list[JobChange] = field(default_factory=list)
    closed: list[JobChange] = field(default_factory=list)
    changed: list[JobChange] = field(default_factory=list)
    busy: list[EntityRef] = field(default_factory=list)
    free: list[EntityRef] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether there is no difference."""
        return not (self.opened or self.closed or self.changed or self.busy or self.free)

    def as_json(self) -> dict[str, Any]:
        """The difference, ready for JSON."""
        jobs = {name: [change.as_json() for change in getattr(self, name)] for name in ("opened", "closed", "changed")}
        entities = {name: [entity.model_dump() for entity in getattr(self, name)] for name in ("busy", "free")}
        return {
            "from": {"position": self.earlier.position, "at": print_time(self.earlier.at)},
            **jobs,
            **entities,
            "at": print_time(self.later.at),
            "position": self.later.position,
        }


def compare(recall: Recall, earlier: AsOf, later: AsOf, fits: Fits) -> Diff:
    """What is different between two moments, from the events between them and the streams of their jobs alone.

    Raises `MalformedRecord` where the moments are in the wrong order, or are times by the callers' clocks.
    """
    if earlier.occurred or later.occurred:
        raise MalformedRecord("A difference is told between positions or times of recording.")
    if earlier.position > later.position:
        raise MalformedRecord(
            f"A difference is told from the earlier moment to the later one, not from position {earlier.position:,} "
            f"back to {later.position:,}."
        )
    diff, entities = Diff(earlier, later), _Entities()
    for before, after in recall.told_between(earlier, later):
        fits_after = fits(after.view)
        entities.take(before, after, counts=fits_after)
        if fits_after:
            _tell(diff, JobChange(before.view if before else None, after.view))
    diff.busy.extend(_not_busy(recall, earlier, entities.taken()))
    diff.free.extend(_not_busy(recall, later, entities.let_go()))
    return diff


def _tell(diff: Diff, change: JobChange) -> None:
    if change.opened:
        diff.opened.append(change)
    if change.closed:
        diff.closed.append(change)
    if change.changed:
        diff.changed.append(change)


class _Entities:
    """The entities that jobs of which something was told held before and after, and those to tell of."""

    def __init__(self) -> None:
        self._before: set[EntityRef] = set()
        self._after: set[EntityRef] = set()
        self._told: set[EntityRef] = set()

    def take(self, before: Was | None, after: Was, *, counts: bool) -> None:
        held_before = before.held if before else frozenset()
        self._before |= held_before
        self._after |= after.held
        if counts:
            self._told |= held_before ^ after.held

    def taken(self) -> list[EntityRef]:
        """What none of them held before, and one holds after."""
        return sorted((self._after - self._before) & self._told, key=str)

    def let_go(self) -> list[EntityRef]:
        """What one of them held before, and none holds after."""
        return sorted((self._before - self._after) & self._told, key=str)


def _not_busy(recall: Recall, as_of: AsOf, entities: Sequence[EntityRef]) -> Iterator[EntityRef]:
    """Those entities that no job at all held at a moment."""
    for start in range(0, len(entities), ENTITIES_ASKED_MAX):
        answers = recall.busy(as_of, entities[start : start + ENTITIES_ASKED_MAX])
        yield from (answer.entity for answer in answers or () if not answer.busy)


def _state(job: JobView | None) -> dict[str, Any] | None:
    if job is None:
        return None
    flags = [flag for flag in job.flags if flag != Flag.OVERDUE]
    return {"phase": job.phase, "outcome": job.outcome, "flags": flags}
