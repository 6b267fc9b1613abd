"""The state of a job, as far as decisions depend on it, and how an event changes it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ledger.domain.damage import not_allowed, out_of_turn
from ledger.domain.entities import Entity, Release
from ledger.domain.events import (
    Abandoned,
    Accepted,
    Adopted,
    Attached,
    Cancelled,
    CancelRequested,
    Closing,
    ContactLost,
    ContactRegained,
    Detached,
    Event,
    Expired,
    Fact,
    Failed,
    HoldLifted,
    HoldPlaced,
    Limit,
    Lost,
    Planned,
    Refused,
    Resolved,
    Started,
    Submitted,
    Succeeded,
    names_in,
)
from ledger.domain.facts import named
from ledger.domain.states import OUTCOMES, TRANSITIONS, EndAction, Outcome, Phase


class Job(NamedTuple):
    """A job after the events of its stream so far."""

    id: str
    version: int
    phase: Phase
    outcome: Outcome | None = None
    type: str = ""
    parent: str | None = None
    root: str = ""
    depth: int = 1
    retry_of: str | None = None
    required: bool = True
    cancellable: bool = True
    end_action: EndAction = EndAction.NONE
    actor: str | None = None
    reason: str | None = None
    entities: tuple[Entity, ...] = ()
    limits: tuple[Limit, ...] = ()
    executor: str | None = None
    external_id: str | None = None
    token: str | None = None
    owner: str | None = None
    epoch: int | None = None
    claimed_by: tuple[str, int] | None = None
    cancel_requested: bool = False
    contact_lost: bool = False
    held: bool = False
    expired: bool = False
    lost_through_children: bool = False
    damaged: str | None = None  # why nothing more can be recorded of it, and nothing later is believed

    @property
    def closed(self) -> bool:
        """Whether the job has an outcome, `unknown` among them."""
        return self.phase is Phase.CLOSED

    @property
    def active(self) -> bool:
        """Whether the job keeps its entities busy: not closed, or closed as `unknown` and not yet resolved."""
        return not self.closed or self.outcome is Outcome.UNKNOWN

    @property
    def refused(self) -> bool:
        """Whether admission said no, so that the job may be planned again."""
        return self.outcome is Outcome.REFUSED


def evolve(job: Job | None, event: Event) -> Job:
    """The job after an event of its stream; only copies what the event says."""
    why = _damage(job, event)
    if why is not None:
        spoilt = job or Job(id=event.job, version=0, phase=Phase.CLOSED, outcome=Outcome.UNKNOWN)
        return spoilt._replace(version=event.version, damaged=spoilt.damaged or why)
    if type(event.fact) is Planned:
        begun = _begin(event, event.fact)
        return begun._replace(held=True) if job is not None and job.held else begun
    if job is None:
        return Job(id=event.job, version=event.version, phase=Phase.CLOSED, outcome=Outcome.REFUSED)
    change = _CHANGES.get(type(event.fact))
    changes = change(job, event, event.fact) if change else {}
    phase = TRANSITIONS[event.fact.name][job.phase]
    return job._replace(version=event.version, phase=phase, **changes)


def _damage(job: Job | None, event: Event) -> str | None:
    """Why the stream is damaged with this event, or was before."""
    if job is None:
        return out_of_turn(0, event) or not_allowed(None, None, event.fact.name)
    return job.damaged or out_of_turn(job.version, event) or not_allowed(job.phase, job.outcome, event.fact.name)


def _begin(event: Event, fact: Planned) -> Job:
    return Job(
        id=event.job,
        version=event.version,
        phase=Phase.PLANNED,
        type=fact.type,
        parent=fact.parent,
        root=fact.root,
        depth=fact.depth,
        retry_of=fact.retry_of,
        required=fact.required,
        cancellable=fact.cancellable,
        end_action=fact.end_action,
        actor=event.actor,
        reason=event.reason,
        entities=fact.entities,
        limits=fact.limits,
        owner=event.owner,
        epoch=event.epoch,
    )


def _bind(job: Job, event: Event, fact: Any) -> dict[str, Any]:
    changes: dict[str, Any] = dict(names_in(fact))
    if event.owner is not None and job.owner is None:
        changes |= {"owner": event.owner, "epoch": event.epoch}
    return changes


def _attach(job: Job, _event: Event, fact: Any) -> dict[str, Any]:
    fresh = tuple(entity for entity in fact.entities if entity not in job.entities)
    return {"entities": job.entities + fresh}


def lets_go(release: Release, entity: Entity) -> bool:
    """Whether a release speaks of this entity as it is held."""
    return (release.type, release.id) == (entity.type, entity.id) and release.role in (None, entity.role)


def _detach(job: Job, _event: Event, fact: Any) -> dict[str, Any]:
    kept = tuple(entity for entity in job.entities if not any(lets_go(r, entity) for r in fact.entities))
    return {"entities": kept}


def _claim(_job: Job, event: Event, _fact: Any) -> dict[str, Any]:
    return {"claimed_by": (event.owner or "", event.epoch or 0), "owner": event.owner, "epoch": event.epoch}


def _adopt(_job: Job, event: Event, _fact: Any) -> dict[str, Any]:
    return {"owner": event.owner, "epoch": event.epoch}


def _end(_job: Job, event: Event, _fact: Any) -> dict[str, Any]:
    return {"outcome": OUTCOMES[event.fact.name], "contact_lost": False, "claimed_by": None}


def _lose(job: Job, event: Event, fact: Any) -> dict[str, Any]:
    return _end(job, event, fact) | {"lost_through_children": names_children(fact.evidence)}


def names_children(evidence: object) -> bool:
    """Whether evidence says that a job was lost through its children."""
    return isinstance(evidence, dict) and isinstance(evidence.get("children"), list)


def _flag(**changes: bool) -> "Change":
    return lambda _job, _event, _fact: changes


Change = Callable[[Job, Event, Any], dict[str, Any]]
_CHANGES: dict[type[Fact], Change] = {
    Submitted: _bind,
    Accepted: _bind,
    Started: _bind,
    Attached: _attach,
    Detached: _detach,
    Closing: _claim,
    Adopted: _adopt,
    CancelRequested: _flag(cancel_requested=True),
    ContactLost: _flag(contact_lost=True),
    ContactRegained: _flag(contact_lost=False),
    HoldPlaced: _flag(held=True),
    HoldLifted: _flag(held=False),
    Expired: _flag(expired=True),
    Refused: _flag(expired=False),
    Succeeded: _end,
    Failed: _end,
    Cancelled: _end,
    Abandoned: _end,
    Lost: _lose,
    Resolved: lambda _job, _event, fact: {"outcome": fact.outcome, "lost_through_children": False},
}
# A plan begins the job anew; the others change its version and phase, and no more.
_NOT_IN_CHANGES = named("planned progressed suspended resumed disputed late")
