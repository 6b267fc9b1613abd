"""A job as it was at a moment: its events up to then, folded as the views fold them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any

from ledger.answers import JobView, Was
from ledger.domain.entities import Access, EntityRef, Release
from ledger.domain.events import Attached, Detached, Ended, Lost, Planned, RecordedEvent, Refused
from ledger.domain.past import AsOf
from ledger.domain.states import Outcome, Phase
from ledger.domain.values import parse_time
from projections.job_status import fold, whole
from projections.queries import view

TIMES = ("planned_at", "started_at", "closed_at", "estimated_end", "deadline", "last_at", "progress_at")


@dataclass(slots=True)
class Stay:
    """One entity that a job touches in one role, from one position to another; a product's are the same."""

    entity: EntityRef
    role: str
    access: Access
    from_position: int
    to_position: int | None = None


@dataclass(slots=True)
class Touched:
    """What one job touches, as its events leave it; the naive twin of the view `running_jobs`."""

    stays: list[Stay] = field(default_factory=list)

    def take(self, entry: RecordedEvent) -> None:
        """Take in the next event of the job."""
        fact, position = entry.event.fact, entry.position
        if isinstance(fact, Planned | Attached):
            self._begin(fact.entities, position)
        elif isinstance(fact, Detached):
            for stay in self.held():
                if any(_speaks_of(release, stay) for release in fact.entities):
                    stay.to_position = position
        elif isinstance(fact, Ended):
            if not isinstance(fact, Lost):
                for stay in self.held():
                    stay.to_position = position
            self.stays += [
                Stay(_ref(made), made.role, made.access, position, to_position=position) for made in fact.products
            ]

    def held(self) -> list[Stay]:
        """What the job holds."""
        return [stay for stay in self.stays if stay.to_position is None]

    def shown(self, closed_position: int | None) -> list[dict[str, Any]]:
        """What it holds, what it held when it closed, and what it made; not what it let go before."""
        shown = [stay for stay in self.stays if stay.to_position in (None, stay.from_position, closed_position)]
        shown.sort(key=lambda stay: (stay.from_position, stay.entity.type, stay.entity.id, stay.role))
        return [
            {"type": stay.entity.type, "id": stay.entity.id, "role": stay.role, "access": str(stay.access)}
            for stay in shown
        ]

    def _begin(self, entities: Iterable[Any], position: int) -> None:
        held = {(stay.entity, stay.role) for stay in self.held()}
        for entity in entities:
            if (_ref(entity), entity.role) not in held:
                self.stays.append(Stay(_ref(entity), entity.role, entity.access, position))


def _ref(entity: EntityRef) -> EntityRef:
    return EntityRef.model_construct(type=entity.type, id=entity.id)


def _speaks_of(release: Release, stay: Stay) -> bool:
    return _ref(release) == stay.entity and release.role in (None, stay.role)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A job at a moment: as the views showed it, and what it touched."""

    view: JobView
    touched: Touched

    @property
    def active(self) -> bool:
        """Whether it kept its entities busy."""
        return self.view.phase != Phase.CLOSED or self.view.outcome == Outcome.UNKNOWN

    def was(self) -> Was:
        """What others are told of it."""
        return Was(self.view, frozenset(stay.entity for stay in self.touched.held()))


def remember(entries: Iterable[RecordedEvent], as_of: AsOf) -> Remembered | None:
    """The job of a stream at a moment; None where it was not on record."""
    row: dict[str, Any] | None = None
    touched = Touched()
    for entry in counted(entries, as_of):
        row = fold(row, entry)
        touched.take(entry)
    if row is None:
        return None
    return Remembered(view(_as_shown(row, touched, as_of)), touched)


def counted(entries: Iterable[RecordedEvent], as_of: AsOf) -> Iterator[RecordedEvent]:
    """The events of a stream that count at a moment: from its beginning on, if that had occurred."""
    counting = (entry for entry in entries if as_of.counts(entry))
    return dropwhile(lambda entry: not isinstance(entry.event.fact, Planned | Refused), counting)


def _as_shown(row: dict[str, Any], touched: Touched, as_of: AsOf) -> dict[str, Any]:
    """A folded row in the form in which the database would give it."""
    row = whole(row)
    times = {name: parse_time(row[name]) for name in TIMES if row[name] is not None}
    # By the callers' clocks a job may be resolved before it was lost: then it is closed all the same.
    phase = str(Phase.CLOSED) if row["outcome"] else row["phase"]
    return {**row, **times, "phase": phase, "entities": touched.shown(row["closed_position"]), "asked_at": as_of.at}
