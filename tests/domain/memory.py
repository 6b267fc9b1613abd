"""A ledger in memory, without store or views, and the named cases that the tests of the domain start from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from ledger.domain.commands import Transition, parse_transition
from ledger.domain.content import Told
from ledger.domain.decisions import Decision, Disposition, decide
from ledger.domain.draft import Below
from ledger.domain.events import LEDGER_FACTS, OWNER_FACTS, Event, Fact
from ledger.domain.itself import Itself, evolve_itself
from ledger.domain.job import Job, evolve
from ledger.domain.owner import Owner, evolve_owner
from ledger.domain.quorum import Child, Family, unsettled_beside
from ledger.domain.trees import is_left

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RECORDED, UNCHANGED, LATE = Disposition.RECORDED, Disposition.UNCHANGED, Disposition.LATE
_names = count(1)


def new_id() -> str:
    return f"n{next(_names)}"


def said(job: str, event: str, **fields: Any) -> Transition:
    """A transition as a record would say it, under a fresh id unless it has one."""
    record = {"job": job, "event": event, "id": new_id(), **fields}
    if event.startswith("owner_"):
        del record["job"]
    return parse_transition(record, new_id)


class Memory:
    """The surroundings of a decision, kept as plain lists and dicts."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.jobs: dict[str, Job] = {}
        self.owners: dict[str, Owner] = {}
        self.selves: dict[str, Itself] = {}
        self.room = 1_000
        self._told: dict[str, Told] = {}

    def job(self, job: str) -> Job | None:
        return self.jobs.get(job)

    def told(self, job: str) -> Told:
        return self._told.setdefault(f"job:{job}", Told())

    def owner(self, name: str) -> Owner:
        return self.owners.get(name, Owner(name))

    def told_of_owner(self, name: str) -> Told:
        return self._told.setdefault(f"owner:{name}", Told())

    def itself(self, ledger: str) -> Itself:
        return self.selves.get(ledger, Itself(ledger))

    def told_of_itself(self, ledger: str) -> Told:
        return self._told.setdefault(f"ledger:{ledger}", Told())

    @property
    def families(self) -> "Memory":
        return self

    def children(self, parent: str) -> Sequence[Child]:
        below = [job for job in self.jobs.values() if job.parent == parent and not job.refused]
        return [Child(job.id, job.outcome, job.required, job.retry_of) for job in below]

    def has_child(self, parent: str) -> bool:
        return bool(self.children(parent))

    def family(self, parent: str) -> Family:
        return Family(self.children(parent))

    def unsettled_beside(self, parent: str, child: str) -> bool:
        return unsettled_beside(self.children(parent), child)

    def open_children(self, parent: str) -> Iterator[str]:
        return (child.job for child in self.children(parent) if child.outcome is None)

    def states(self, names: Sequence[str]) -> Sequence[Job]:
        return [self.jobs[name] for name in names]

    def left_below(self, job: str, fact: Fact) -> Below:
        found: list[Job] = []
        waiting = [job]
        while waiting:
            above = waiting.pop(0)
            below = [child for child in self.jobs.values() if child.parent == above]
            found += below
            waiting += [child.id for child in below]
        left = [below for below in found if is_left(below, fact)]
        return Below(left[: self.room], len(left) <= self.room)

    def bound(self, executor: str, external_id: str) -> str | None:
        names = {(job.executor, job.external_id): job.id for job in self.jobs.values()}
        return names.get((executor, external_id))

    def take(self, event: Event) -> None:
        self.events.append(event)
        self._told.setdefault(event.stream, Told()).note(event)
        if isinstance(event.fact, OWNER_FACTS):
            self.owners[event.job] = evolve_owner(self.owner(event.job), event)
        elif isinstance(event.fact, LEDGER_FACTS):
            self.selves[event.job] = evolve_itself(self.itself(event.job), event)
        else:
            before = self.jobs.pop(event.job, None) if event.name == "planned" else self.job(event.job)
            self.jobs[event.job] = evolve(before, event)

    def tell(self, job: str, event: str, **fields: Any) -> Decision:
        """Say something of a job; `historical=True` says it as an import does."""
        historical = fields.pop("historical", False)
        return self.hear(said(job, event, **fields), historical=historical)

    def hear(self, transition: Transition, *, historical: bool = False) -> Decision:
        decision = decide(transition, NOW, self, historical=historical)
        for event in decision.events:
            self.take(event)
        return decision

    def plan(self, job: str, **terms: Any) -> Decision:
        return self.tell(job, "planned", **({"type": "T"} | terms))


def names(decision: Decision) -> list[str]:
    """The events of a decision as `job event`."""
    return [f"{event.job} {event.name}" for event in decision.events]


def parts(*jobs: str, **terms: Any) -> list[Mapping[str, Any]]:
    """Children for a plan."""
    return [{"job": job, "type": "Part", **terms} for job in jobs]
