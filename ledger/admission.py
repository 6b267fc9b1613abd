"""Whether a plan may start beside what already runs: exclusive stands against exclusive and shared, within no tree.

The decision is made under the append lock, so that nothing can begin between the look and the record.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ledger.domain.entities import Access
from ledger.domain.events import Attached, Event, Planned
from ledger.domain.values import print_time


@dataclass(frozen=True, slots=True)
class Demand:
    """An entity that a job asks for, with the access that it asks for."""

    type: str
    id: str
    access: Access

    @property
    def exclusive(self) -> bool:
        """Whether nobody else may hold the entity."""
        return self.access is Access.EXCLUSIVE


@dataclass(frozen=True, slots=True)
class Holder:
    """An active job on an entity, since the time at which it began to hold it."""

    job: str
    root: str
    type: str
    id: str
    access: Access
    since: datetime
    owner: str | None = None


class Running(Protocol):
    """Who reads what is running."""

    def holders(self, demands: Sequence[Demand]) -> Sequence[Holder]:
        """The active jobs that may stand against these demands."""


def demands(events: Iterable[Event]) -> list[Demand]:
    """What the events of one decision ask for, each demand once."""
    asked = {
        Demand(entity.type, entity.id, entity.access)
        for event in events
        if isinstance(event.fact, Planned | Attached)
        for entity in event.fact.entities
        if entity.access is not Access.NONE
    }
    return sorted(asked, key=lambda demand: (demand.type, demand.id, demand.access))


def conflicts(demand: Demand, holder: Holder) -> bool:
    """Whether a holder stands in the way of a demand."""
    same = (demand.type, demand.id) == (holder.type, holder.id)
    accesses = {demand.access, holder.access}
    return same and Access.NONE not in accesses and Access.EXCLUSIVE in accesses


def blockers(root: str, asked: Sequence[Demand], running: Running) -> list[Holder]:
    """Every job of another tree that stands in the way, oldest first."""
    if not asked:
        return []
    found = {
        holder
        for holder in running.holders(asked)
        if holder.root != root and any(conflicts(demand, holder) for demand in asked)
    }
    return sorted(found, key=lambda holder: (holder.since, holder.job, holder.type, holder.id, holder.access))


def describe(holder: Holder) -> Mapping[str, Any]:
    """A blocker as it goes on record."""
    return {
        "job": holder.job,
        "entity": {"type": holder.type, "id": holder.id},
        "access": str(holder.access),
        "since": print_time(holder.since),
        "owner": holder.owner,
    }
