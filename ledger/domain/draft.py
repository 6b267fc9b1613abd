"""What a decision may ask, what it answers, and the events of one as they come together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from ledger.domain.commands import Transition
from ledger.domain.content import DERIVED, Told
from ledger.domain.events import (
    Event,
    Fact,
)
from ledger.domain.itself import Itself
from ledger.domain.job import Job, evolve
from ledger.domain.owner import Owner
from ledger.domain.quorum import Child, Family
from ledger.errors import (
    Contradiction,
    IllegalTransition,
    LedgerError,
    StaleEpoch,
)


class Disposition(StrEnum):
    """What became of a transition."""

    RECORDED = "recorded"
    UNCHANGED = "unchanged"
    LATE = "late"


class Families(Protocol):
    """What a decision may ask about the children of jobs."""

    def has_child(self, parent: str) -> bool:
        """Whether a job has a child; one that was refused is none, until it is planned."""

    def family(self, parent: str) -> Family:
        """The children of a job, as far as they count for it."""

    def open_children(self, parent: str) -> Iterator[str]:
        """The children of a job that are not closed, in any order; read as far as they are asked for."""

    def unsettled_beside(self, parent: str, child: str) -> bool:
        """Whether a job stays without a value unless this child fails; no is said where that takes a longer look."""


class Surroundings(Protocol):
    """What a decision may ask about the rest of the ledger, as it stands under the append lock."""

    def job(self, job: str) -> Job | None:
        """The state of a job, or None where no event speaks of it."""

    def told(self, job: str) -> Told:
        """What the stream of a job has told so far."""

    def owner(self, name: str) -> Owner:
        """The state of an owner; one that never started has no epoch."""

    def told_of_owner(self, name: str) -> Told:
        """What the stream of an owner has told so far."""

    def itself(self, ledger: str) -> Itself:
        """What a ledger has on record of itself."""

    def told_of_itself(self, ledger: str) -> Told:
        """What the stream of a ledger itself has told so far."""

    @property
    def families(self) -> Families:
        """The children of jobs."""

    def states(self, names: Sequence[str]) -> Sequence[Job]:
        """The states of several jobs that are on record, parents first."""

    def left_below(self, job: str, fact: Fact) -> "Below":
        """The jobs below a job of which this is yet to be said; one that was refused is below none."""

    def bound(self, executor: str, external_id: str) -> str | None:
        """The job that has this external id of this executor."""


class Below(NamedTuple):
    """Jobs below another, parents first: `all` of those that are meant, or as many as an append has room for."""

    jobs: Sequence[Job]
    all: bool


class Decision(NamedTuple):
    """The events that follow; `version` is where the answer stands in the stream of the job that was asked about.

    `error` is raised to the caller after the events are recorded. Where it is `unfinished`, the same is yet to be said
    of jobs below, by further appends.
    """

    disposition: Disposition
    version: int
    events: tuple[Event, ...] = ()
    error: LedgerError | None = None
    unfinished: bool = False


@dataclass(slots=True)
class Draft:
    """The events of one decision as they come together, each with the state that it leaves.

    One that goes `onward` with what an earlier one began names its events by the jobs that they are about.
    """

    transition: Transition
    at: datetime
    around: Surroundings
    events: dict[str, Event] = field(default_factory=dict)  # one a stream at most
    onward: bool = False

    def job(self, job: str) -> Job | None:
        """The state of a job as this decision leaves it."""
        before, event = self.around.job(job), self.events.get(job)
        return before if event is None else evolve(before, event)

    def add(self, job: str, fact: Fact, **why: str | None) -> None:
        """Add an event at the end of a job's stream; it says who and when as the transition does."""
        before = self.around.job(job)
        self.add_at(before.version + 1 if before else 1, job, fact, **why)

    def add_at(
        self,
        version: int,
        job: str,
        fact: Fact,
        *,
        actor: str | None = None,
        reason: str | None = None,
        raw: str | None = None,
    ) -> None:
        """Add an event under its version; the actor is that of the transition where none is given."""
        said = self.transition
        self.events[job] = Event(
            id=self._id_of(job),
            job=job,
            version=version,
            occurred_at=self.at,
            fact=fact,
            actor=actor or said.actor,
            reason=reason,
            owner=said.owner,
            epoch=said.epoch,
            raw=raw,
            traceparent=said.traceparent,
        )

    def family(self, parent: str) -> Family:
        """The children of a job as this decision leaves them."""
        family = self.around.families.family(parent)
        return replace(family, told=[self._as_it_is_left(child) for child in family.told])

    def has_open_child(self, parent: str) -> bool:
        """Whether this decision leaves a child of the job open."""
        for name in self.around.families.open_children(parent):
            job = self.job(name) if name in self.events else None
            if job is None or not job.closed:
                return True
        return False

    def _as_it_is_left(self, child: Child) -> Child:
        job = self.job(child.job) if child.job in self.events else None
        return replace(child, outcome=job.outcome) if job else child

    def _id_of(self, job: str) -> str:
        if self.onward:
            return f"{DERIVED}{self.transition.id}/{job}"
        return f"{DERIVED}{self.transition.id}/{len(self.events)}" if self.events else self.transition.id or ""

    def done(
        self,
        disposition: Disposition = Disposition.RECORDED,
        error: LedgerError | None = None,
        *,
        unfinished: bool = False,
    ) -> Decision:
        """The decision, with everything that was added."""
        events = tuple(self.events.values())
        return Decision(disposition, events[0].version, events, error, unfinished)


def fenced(said: Transition, around: Surroundings) -> bool:
    """Whether a transition comes from an epoch that may no longer act."""
    return said.owner is not None and said.epoch is not None and around.owner(said.owner).fences(said.epoch)


def check_begun(said: Transition, around: Surroundings) -> None:
    """Raise `StaleEpoch` where the event that began an epoch is no longer on record, or another stands for it.

    Of an epoch that is fenced by a later one it is not known, and need not be.
    """
    if said.begun_by is None or fenced(said, around):
        return
    owner = around.owner(said.owner or "")
    if owner.begun_by != said.begun_by:
        raise StaleEpoch(
            f"Epoch {said.epoch} of {said.owner} must have begun with the event {said.begun_by}, which is no longer on "
            "record: the ledger was restored or failed over with loss. Start the owner anew.",
            owner=said.owner,
            epoch=said.epoch,
            newest=owner.newest,
        )


def stale(said: Transition, around: Surroundings) -> StaleEpoch:
    """The error for what a fenced epoch says."""
    newest = around.owner(said.owner or "").newest
    return StaleEpoch(
        f"Epoch {said.epoch} of {said.owner} is fenced; the newest is {newest}.",
        owner=said.owner,
        epoch=said.epoch,
        newest=newest,
    )


def cancelled_above(job: Job, around: Surroundings) -> str | None:
    """The job itself or the nearest one above it of which cancelling was asked."""
    above: Job | None = job
    while above is not None and not above.cancel_requested:
        above = around.job(above.parent) if above.parent else None
    return above.id if above else None


def other_content(said: Transition) -> Contradiction:
    """The error for an id that names another transition."""
    return Contradiction(f"The id {said.id} of job {said.job} names another transition.", job=said.job, field="id")


def illegal(job: Job, fact: Fact, but: str = "") -> IllegalTransition:
    """The error for a step that is not in the table, or that another rule forbids."""
    state = f"{job.phase} ({job.outcome})" if job.outcome else str(job.phase)
    return IllegalTransition(
        f"A job that is {state} cannot take {fact.name}{but}: {job.id}.",
        job=job.id,
        phase=str(job.phase),
        event=fact.name,
    )
