"""Whether a plan may start beside what already runs.

Exclusive access stands against exclusive and shared, though never within a tree. A limit that a plan states counts the
active jobs of a type on an entity, itself and its tree included; it holds again for what the job attaches.

The decision is made under the append lock, so that nothing can begin between the look and the record.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from ledger.domain.entities import AGAINST, Access, Entity
from ledger.domain.events import Attached, Event, Fact, Limit, Planned
from ledger.domain.facts import ASKING
from ledger.domain.job import Job
from ledger.domain.progress import shown as told
from ledger.domain.quorum import NAMED_MAX
from ledger.domain.values import print_time


class Demand(NamedTuple):
    """An entity that a job asks for, with the access that it asks for."""

    type: str
    id: str
    access: Access


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


class Held(NamedTuple):
    """Holders in no order, and how many others there are, each of them younger than a hundred of these."""

    shown: Sequence[Holder]
    more: int = 0


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
        return self.as_json() | {"progress": told(self.holder.progress)}

    def __str__(self) -> str:
        entity = f"{self.holder.type}/{self.holder.id}"
        if self.limit:
            return f"{self.holder.job} (at most {self.limit.at_most:,} {self.limit.type} on {entity})"
        return f"{self.holder.job} (on {entity}, {self.holder.access})"


@dataclass(frozen=True, slots=True)
class Blockers:
    """The jobs in the way, oldest first: a hundred at most, and how many there are."""

    shown: Sequence[Blocker]
    count: int

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(frozen=True, slots=True, order=True)
class Beside:
    """A job that another one ran beside although their accesses exclude each other, and the entity (`disk/d-1`)."""

    entity: str
    job: str


class Running(Protocol):
    """Who reads what is running."""

    def against(self, demands: Sequence[Demand], root: str | None) -> Held:
        """The active jobs that may stand against these demands; of many the oldest, none of them of this tree."""

    def present(self, limit: Limit) -> Held:
        """The active jobs that count against a limit, each once; of many the oldest."""

    def job(self, job: str) -> Job | None:
        """The state of a job."""


def demands(events: Iterable[Event]) -> list[Demand]:
    """What the events of one decision ask for, each demand once."""
    asked = {
        Demand(entity.type, entity.id, entity.access)
        for event in events
        for entity in _asked_by(event.fact)
        if entity.access is not Access.NONE
    }
    return sorted(asked)


def _asked_by(fact: Fact) -> Sequence[Entity]:
    """The entities that a fact asks for: those of a plan, and what is attached."""
    return vars(fact)["entities"] if type(fact) in ASKING else ()


def conflicts(demand: Demand, holder: Holder) -> bool:
    """Whether a holder stands in the way of a demand."""
    same = (demand.type, demand.id) == (holder.type, holder.id)
    return same and holder.access in AGAINST[demand.access]


NOBODY = Blockers((), 0)


def blockers(events: Sequence[Event], running: Running) -> Blockers:
    """Who stands in the way of the events of one decision, oldest first."""
    if ASKING.isdisjoint([type(event.fact) for event in events]):
        return NOBODY
    sides = [_in_conflict(events, running), *_over_limit(events, running)]
    found = {blocker for side in sides for blocker in side.shown}
    first = sorted(found, key=lambda it: (it.holder.since, it.holder.job, it.holder.type, it.holder.id, str(it)))
    return Blockers(first[:NAMED_MAX], len(found) + sum(side.count - len(side.shown) for side in sides))


def _in_conflict(events: Sequence[Event], running: Running) -> Blockers:
    asked = demands(events)
    if not asked:
        return NOBODY
    root = _root(events[0], running)
    held = running.against(asked, None if _begins(events[0]) else root)
    found = {
        Blocker(holder)
        for holder in held.shown
        if holder.root != root and any(conflicts(demand, holder) for demand in asked)
    }
    return Blockers([*found], len(found) + held.more)


def _begins(event: Event) -> bool:
    """Whether a tree begins with an event, so that nobody of it holds anything yet."""
    return type(event.fact) is Planned and event.fact.parent is None


def _root(event: Event, running: Running) -> str:
    if type(event.fact) is Planned:
        return event.fact.root
    job = running.job(event.job)
    return job.root if job else event.job


def _over_limit(events: Sequence[Event], running: Running) -> Iterator[Blockers]:
    for limit in {limit for event in events if type(event.fact) in ASKING for limit in _limits(event, running)}:
        coming = {event.job: event for event in events if _counts(event, limit, running)}
        if isinstance(events[0].fact, Attached) and not _names(events[0].fact, limit):
            continue  # a limit holds again for what is attached to its entity
        held = running.present(limit)
        present = [holder for holder in held.shown if holder.job not in coming]
        count = len(present) + held.more
        if count + len(coming) > limit.at_most:
            shown = present or [_as_holder(event, limit) for event in coming.values()]
            yield Blockers([Blocker(holder, limit) for holder in shown], len(shown) + held.more)


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
