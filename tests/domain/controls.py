"""What the tests of the domain start from: a ledger in memory, and short words for plans and transitions."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from ledger.domain.commands import Transition, parse_transition
from ledger.domain.content import Told
from ledger.domain.decisions import Decision, Disposition, decide
from ledger.domain.events import OWNER_FACTS, Event, Planned
from ledger.domain.job import Job, evolve
from ledger.domain.owner import Owner, evolve_owner
from ledger.domain.quorum import Child

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
RECORDED, UNCHANGED, LATE = Disposition.RECORDED, Disposition.UNCHANGED, Disposition.LATE

_ids = count(1)


def new_id() -> str:
    """An id that no other has."""
    return f"~{next(_ids)}"


def said(job: str, event: str, **fields: Any) -> Transition:
    """A transition under an id of its own; `job` is left out of what is said of an owner."""
    subject = {} if event.startswith("owner_") else {"job": job}
    return parse_transition({"id": new_id(), "event": event, **subject, **fields}, new_id)


def parts(*jobs: str, **terms: Any) -> list[dict[str, Any]]:
    """The children of a plan, all on the same terms."""
    return [{"job": job, "type": "Part", **terms} for job in jobs]


def names(decision: Decision) -> list[str]:
    """The events of a decision, each as its job and its word."""
    return [f"{event.job} {event.name}" for event in decision.events]


class Memory:
    """The surroundings of decisions in plain dicts; what is told in it comes a second after the last."""

    def __init__(self) -> None:
        self.now = NOW
        self.events: list[Event] = []
        self.jobs: dict[str, Job] = {}
        self.owners: dict[str, Owner] = {}
        self.tolds: dict[str, Told] = defaultdict(Told)

    def job(self, job: str) -> Job | None:
        return self.jobs.get(job)

    def told(self, job: str) -> Told:
        return self.tolds[f"job:{job}"]

    def owner(self, name: str) -> Owner:
        return self.owners.get(name, Owner(name))

    def told_of_owner(self, name: str) -> Told:
        return self.tolds[f"owner:{name}"]

    def children(self, parent: str) -> Sequence[Child]:
        below = [job for job in self.jobs.values() if job.parent == parent]
        return [Child(job.id, job.outcome, job.required, job.retry_of) for job in below]

    def descendants(self, job: str) -> Sequence[Job]:
        level = [below for below in self.jobs.values() if below.parent == job]
        return level + [deeper for below in level for deeper in self.descendants(below.id)]

    def bound(self, executor: str, external_id: str) -> str | None:
        names = (executor, external_id)
        return next((job.id for job in self.jobs.values() if (job.executor, job.external_id) == names), None)

    def take(self, event: Event) -> None:
        """Take in an event; a job planned again comes last, as a job planned for the first time does."""
        if type(event.fact) in OWNER_FACTS:
            self.owners[event.job] = evolve_owner(self.owner(event.job), event)
        else:
            before = self.jobs.pop(event.job, None) if isinstance(event.fact, Planned) else self.job(event.job)
            self.jobs[event.job] = evolve(before, event)
        self.tolds[event.stream].note(event)
        self.events.append(event)

    def judge(self, transition: Transition, *, historical: bool = False) -> Decision:
        """Decide and take in what follows."""
        self.now += timedelta(seconds=1)
        decision = decide(transition, self.now, self, historical=historical)
        for event in decision.events:
            self.take(event)
        return decision

    def tell(self, job: str, event: str, *, historical: bool = False, **fields: Any) -> Decision:
        """Say that something became true of a job."""
        return self.judge(said(job, event, **fields), historical=historical)

    def plan(self, job: str, **terms: Any) -> Decision:
        """Put a job on record."""
        return self.tell(job, "planned", **{"type": "T", **terms})
