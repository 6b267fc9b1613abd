"""Whether a plan may start beside what already runs.

Exclusive access stands against exclusive and shared, though never within a tree. A limit that a plan states counts the
active jobs of a type on an entity, itself and its tree included; it holds again for what the job attaches.

The decision is made under the append lock, so that nothing can begin between the look and the record.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from ledger.domain.entities import Access
from ledger.domain.events import Attached, Event, Limit, Planned, asked_by
from ledger.domain.job import Job
from ledger.domain.progress import shown
from ledger.domain.values import print_time


class Demand(NamedTuple):
    """An entity that a job asks for, with the access that it asks for."""

    type: str
    id: str
    access: Access


_ASKING = frozenset({Planned, Attached})


@dataclass(frozen=True, slots=True)
class Holder:
    """An active job on an entity, since the time at which it began to hold it; `progress` is as it was told."""

    job: str
    job_type: str
    root: str
    type: str
    id: str
    access: Access
    since: datetime
    owner: str | None = None
    progress: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Blocker:
    """A job in the way: it holds what is asked for, or it fills a limit."""

    holder: Holder
    limit: Limit | None = None

    def as_json(self) -> dict[str, Any]:
        """The blocker as it goes on record: without progress, so that the same refusal stays the same."""
        said: dict[str, Any] = {
            "job": self.holder.job,
            "type": self.holder.job_type,
            "entity": {"type": self.holder.type, "id": self.holder.id},
            "access": str(self.holder.access),
            "since": print_time(self.holder.since),
            "owner": self.holder.owner,
        }
        return said | ({"limit": self.limit.model_dump(mode="json")} if self.limit else {})

    def as_fact(self) -> dict[str, Any]:
        """The blocker as the caller is told of it: with its progress, which may move at any time."""
        return self.as_json() | {"progress": shown(self.holder.progress)}

    def __str__(self) -> str:
        entity = f"{self.holder.type}/{self.holder.id}"
        if self.limit:
            return f"{self.holder.job} (at most {self.limit.at_most:,} {self.limit.type} on {entity})"
        return f"{self.holder.job} (on {entity}, {self.holder.access})"


@dataclass(frozen=True, slots=True, order=True)
class Beside:
    """A job that another one ran beside although their accesses exclude each other, and the entity (`disk/d-1`)."""

    entity: str
    job: str


class Running(Protocol):
    """Who reads what is running."""

    def holders(self, demands: Sequence[Demand]) -> Sequence[Holder]:
        """The active jobs that may stand against these demands."""

    def present(self, limit: Limit) -> Sequence[Holder]:
        """The active jobs that count against a limit, each once."""

    def job(self, job: str) -> Job | None:
        """The state of a job."""


def demands(events: Iterable[Event]) -> list[Demand]:
    """What the events of one decision ask for, each demand once."""
    asked = {
        Demand(entity.type, entity.id, entity.access)
        for event in events
        for entity in asked_by(event.fact)
        if entity.access is not Access.NONE
    }
    return sorted(asked)


def conflicts(demand: Demand, holder: Holder) -> bool:
    """Whether a holder stands in the way of a demand."""
    same = (demand.type, demand.id) == (holder.type, holder.id)
    return same and holder.access in demand.access.against


def blockers(events: Sequence[Event], running: Running) -> list[Blocker]:
    """Every job that stands in the way of the events of one decision, oldest first."""
    if _ASKING.isdisjoint([type(event.fact) for event in events]):
        return []
    found = {*_in_conflict(events, running), *_over_limit(events, running)}
    return sorted(found, key=lambda it: (it.holder.since, it.holder.job, it.holder.type, it.holder.id, str(it)))


def _in_conflict(events: Sequence[Event], running: Running) -> Iterator[Blocker]:
    asked = demands(events)
    if not asked:
        return
    root = _root(events[0], running)
    for holder in running.holders(asked):
        if holder.root != root and any(conflicts(demand, holder) for demand in asked):
            yield Blocker(holder)


def _root(event: Event, running: Running) -> str:
    if type(event.fact) is Planned:
        return event.fact.root
    job = running.job(event.job)
    return job.root if job else event.job


def _over_limit(events: Sequence[Event], running: Running) -> Iterator[Blocker]:
    for limit in {limit for event in events if type(event.fact) in _ASKING for limit in _limits(event, running)}:
        coming = {event.job: event for event in events if _counts(event, limit, running)}
        if isinstance(events[0].fact, Attached) and not _names(events[0].fact, limit):
            continue  # a limit holds again for what is attached to its entity
        present = [holder for holder in running.present(limit) if holder.job not in coming]
        if len(present) + len(coming) > limit.at_most:
            own = (_as_holder(event, limit) for event in coming.values())
            yield from (Blocker(holder, limit) for holder in present or own)


def _as_holder(event: Event, limit: Limit) -> Holder:
    """A job that is over its own limit, with nobody else in the way."""
    entity = limit.entity
    return Holder(event.job, limit.type, event.job, entity.type, entity.id, Access.NONE, event.occurred_at, event.owner)


def _limits(event: Event, running: Running) -> Sequence[Limit]:
    if type(event.fact) is Planned:
        return event.fact.limits
    job = running.job(event.job)
    return job.limits if job else ()


def _counts(event: Event, limit: Limit, running: Running) -> bool:
    if not isinstance(event.fact, Planned | Attached):
        return False
    job = None if isinstance(event.fact, Planned) else running.job(event.job)
    kind = event.fact.type if isinstance(event.fact, Planned) else job.type if job else ""
    return kind == limit.type and _names(event.fact, limit)


def _names(fact: Planned | Attached, limit: Limit) -> bool:
    return any((entity.type, entity.id) == (limit.entity.type, limit.entity.id) for entity in fact.entities)
