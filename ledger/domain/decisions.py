"""What follows from a transition: the events, or the reason why there are none.

`decide` judges in the order that the contract gives: the same id with other content; content told before; another plan;
a fenced epoch or a closed job; another external id or token; what is so already; the transition table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, cast

from ledger.domain.commands import Plan, Transition, check_plan, planned, print_transition, within
from ledger.domain.content import Told, digest
from ledger.domain.events import (
    OWNER_FACTS,
    Accepted,
    Adopted,
    Attached,
    Cancelled,
    CancelRequested,
    Closing,
    ContactLost,
    ContactRegained,
    Detached,
    Disputed,
    Ended,
    Event,
    Expired,
    Fact,
    Failed,
    HoldLifted,
    HoldPlaced,
    Late,
    Lost,
    OwnerFenced,
    OwnerStarted,
    Refused,
    Resolved,
    Resumed,
    Started,
    Submitted,
    Succeeded,
    Suspended,
)
from ledger.domain.job import Job, evolve, lets_go
from ledger.domain.owner import Owner
from ledger.domain.quorum import Child, Value, in_the_way, parent_value
from ledger.domain.states import OUTCOMES, TRANSITIONS, EndAction, Outcome, Phase
from ledger.errors import (
    AlreadyClaimed,
    ChildrenNotSucceeded,
    Contradiction,
    IllegalTransition,
    JobNotFound,
    LedgerError,
    MalformedRecord,
    NotCancellable,
    ParentClosed,
    StaleEpoch,
    TreeTooDeep,
)
from ledger.errors import (
    CancelRequested as CancelWasRequested,
)

TREE_DEPTH_MAX = 16


class Disposition(StrEnum):
    """What became of a transition."""

    RECORDED = "recorded"
    UNCHANGED = "unchanged"
    LATE = "late"


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

    def children(self, parent: str) -> Sequence[Child]:
        """The children of a job in the order of planning."""

    def descendants(self, job: str) -> Sequence[Job]:
        """Every job below a job, parents first."""

    def bound(self, executor: str, external_id: str) -> str | None:
        """The job that has this external id of this executor."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The events that follow; `version` is where the answer stands in the stream of the job that was asked about.

    `error` is raised to the caller after the events are recorded.
    """

    disposition: Disposition
    version: int
    events: tuple[Event, ...] = ()
    error: LedgerError | None = None


@dataclass(slots=True)
class _Draft:
    """The events of one decision as they come together, each with the state that it leaves."""

    transition: Transition
    at: datetime
    around: Surroundings
    events: list[Event] = field(default_factory=list)
    after: dict[str, Job] = field(default_factory=dict)

    def job(self, job: str) -> Job | None:
        return self.after.get(job) or self.around.job(job)

    def add(self, job: str, fact: Fact, **envelope: Any) -> Event:
        before = self.job(job)
        said = self.transition
        event = Event(
            id=f"{said.id}/{len(self.events)}" if self.events else said.id or "",
            job=job,
            version=before.version + 1 if before else 1,
            occurred_at=self.at,
            fact=fact,
            **{"actor": said.actor, "owner": said.owner, "epoch": said.epoch, "traceparent": said.traceparent}
            | envelope,
        )
        self.events.append(event)
        self.after[job] = evolve(before, event)
        return event

    def children(self, parent: str) -> list[Child]:
        return [
            replace(child, outcome=self.after[child.job].outcome) if child.job in self.after else child
            for child in self.around.children(parent)
        ]

    def done(self, disposition: Disposition = Disposition.RECORDED, error: LedgerError | None = None) -> Decision:
        return Decision(disposition, self.events[0].version, tuple(self.events), error)


def decide(transition: Transition, now: datetime, around: Surroundings, *, historical: bool = False) -> Decision:
    """The events that follow from a transition, in order; none where it was told before.

    `transition.id` is set. `historical` is for an import, which records what has already happened: cancelling that
    was asked for stops nothing. Raises `Conflict`, `NotFound` or `BadInput`.
    """
    draft = _Draft(transition, transition.at or now, around)
    if type(transition.fact) in OWNER_FACTS:
        return _decide_owner(draft)
    if isinstance(transition.fact, Plan):
        return _decide_plan(draft, transition.fact, historical=historical)
    return _decide_report(draft, transition.fact, historical=historical)


# --- Plans


def _decide_plan(draft: _Draft, plan: Plan, *, historical: bool) -> Decision:
    said, around = draft.transition, draft.around
    top = check_plan(plan.model_copy(update={"actor": said.actor, "reason": said.reason}))
    known = around.told(plan.job)
    content = digest(planned(top), None, None, None, None)
    told = known.by_id.get(said.id or "")
    if told is not None and told[0] != content:
        raise _other_content(said)
    if content in known.by_content:
        _check_children_told(top, around)
        return Decision(Disposition.UNCHANGED, known.by_content[content])
    _refuse_other_plan(around.job(plan.job))
    if _fenced(said, around):
        raise _stale(said, around)
    root, depth = _place(top, around, historical=historical)
    _plan_tree(draft, top, root, depth)
    return draft.done()


def _check_children_told(plan: Plan, around: Surroundings) -> None:
    for child in plan.children:
        child = within(plan, child)
        if digest(planned(child), None, None, None, None) not in around.told(child.job).by_content:
            raise Contradiction(
                f"Job {plan.job} must be planned again with the same children, and {child.job} is another.",
                job=plan.job,
                field="children",
            )
        _check_children_told(child, around)


def _refuse_other_plan(job: Job | None) -> None:
    if job is not None and not job.refused:
        raise Contradiction(f"Job {job.id} is on record under another plan.", job=job.id, field="plan")


def _place(plan: Plan, around: Surroundings, *, historical: bool) -> tuple[str, int]:
    if plan.parent is None:
        return plan.job, 1
    parent = around.job(plan.parent)
    if parent is None:
        raise JobNotFound(f"No event speaks of {plan.parent}, the parent of {plan.job}.", job=plan.parent)
    if parent.phase in (Phase.CLOSING, Phase.CLOSED):
        raise ParentClosed(
            f"Children must be planned before their parent is closing, and {parent.id} is {parent.phase}.",
            job=plan.job,
            parent=parent.id,
        )
    if parent.cancel_requested and not historical:
        raise CancelWasRequested(f"Cancelling was asked of {parent.id}, so {plan.job} is not planned.", job=parent.id)
    return parent.root, parent.depth + 1


def _plan_tree(draft: _Draft, plan: Plan, root: str, depth: int) -> None:
    if depth > TREE_DEPTH_MAX:
        raise TreeTooDeep(
            f"A tree of jobs must be {TREE_DEPTH_MAX} deep at most, and {plan.job} would be deeper.",
            limit=TREE_DEPTH_MAX,
        )
    _refuse_other_plan(draft.around.job(plan.job))
    _check_retry(draft, plan)
    actor, reason = _inherited(draft, plan)
    draft.add(plan.job, planned(plan, root, depth), actor=actor, reason=reason)
    for child in plan.children:
        _plan_tree(draft, within(plan, child), root, depth + 1)


def _inherited(draft: _Draft, plan: Plan) -> tuple[str | None, str | None]:
    parent = draft.job(plan.parent) if plan.parent else None
    if parent is None:
        return plan.actor, plan.reason
    return plan.actor or parent.actor, plan.reason or parent.reason


def _check_retry(draft: _Draft, plan: Plan) -> None:
    if plan.retry_of is None:
        return
    earlier = draft.job(plan.retry_of)
    if earlier is None:
        raise JobNotFound(f"No event speaks of {plan.retry_of}, which {plan.job} would retry.", job=plan.retry_of)
    if earlier.refused or earlier.parent != plan.parent or earlier.id == plan.job:
        raise MalformedRecord(
            f"A retry must name a job under the same parent, and {plan.retry_of} is none for {plan.job}."
        )


def refuse(
    transition: Transition, now: datetime, around: Surroundings, blockers: Sequence[Mapping[str, Any]]
) -> Decision:
    """The event that admission said no to a plan; none where the same blockers refused the same plan before."""
    draft = _Draft(transition, transition.at or now, around)
    whole = print_transition(replace(transition, id=None, at=None))
    plan = {key: value for key, value in whole.items() if key not in ("job", "event", "actor", "reason", "traceparent")}
    fact = Refused(plan=plan, blockers=list(blockers))
    told = around.told(transition.job).by_content.get(digest(fact, None, None, None, None))
    if told is not None:
        return Decision(Disposition.UNCHANGED, told)
    draft.add(transition.job, fact, reason=transition.reason)
    return draft.done()


# --- Reports


def _decide_report(draft: _Draft, fact: Fact, *, historical: bool) -> Decision:
    said, around = draft.transition, draft.around
    job = around.job(said.job)
    if job is None:
        if isinstance(fact, Refused):
            draft.add(said.job, fact, reason=said.reason, raw=said.raw)
            return draft.done()
        raise JobNotFound(f"No event speaks of job {said.job}; a stream begins with planned.", job=said.job)
    version = _told_before(draft, fact)
    if version is not None:
        return Decision(Disposition.UNCHANGED, version)
    late = _decide_late(draft, fact, job)
    if late is not None:
        return late
    _check_names(job, fact, around)
    if _so_already(job, fact):
        return Decision(Disposition.UNCHANGED, job.version)
    _check_legal(draft, job, fact, historical=historical)
    _record(draft, job, fact, historical=historical)
    return draft.done()


def _told_before(draft: _Draft, fact: Fact) -> int | None:
    said = draft.transition
    known = draft.around.told(said.job)
    told = known.by_id.get(said.id or "")
    if told is not None:
        same_time = not fact.timed or said.at is None or said.at == told[1]
        if told[0] != digest(fact, said.raw, None, said.owner, said.epoch) or not same_time:
            raise _other_content(said)
        return told[2]
    return known.by_content.get(digest(fact, said.raw, draft.at, said.owner, said.epoch))


def _other_content(said: Transition) -> Contradiction:
    return Contradiction(f"The id {said.id} of job {said.job} names another transition.", job=said.job, field="id")


_CLAIMS = (Submitted, Closing, Adopted)
_AFTER_CLOSING = (Resolved, Disputed, Late, HoldPlaced, HoldLifted, Expired, Refused)


def _decide_late(draft: _Draft, fact: Fact, job: Job) -> Decision | None:
    said = draft.transition
    if isinstance(fact, Late):
        return None
    if _fenced(said, draft.around):
        if isinstance(fact, _CLAIMS):
            raise _stale(said, draft.around)
        return _keep_late(draft, fact, "fenced", _stale(said, draft.around))
    resolves = job.outcome is Outcome.UNKNOWN and isinstance(fact, Ended) and not isinstance(fact, Lost)
    if job.closed and not resolves and not isinstance(fact, _AFTER_CLOSING):
        return _keep_late(draft, fact, "closed", None)
    return None


def _keep_late(draft: _Draft, fact: Fact, because: str, error: LedgerError | None) -> Decision:
    said = draft.transition
    known = draft.around.told(said.job).lates.get(digest(fact, said.raw, draft.at, said.owner, said.epoch))
    if known is not None:
        return Decision(Disposition.UNCHANGED, known, error=error)
    draft.add(said.job, Late.model_validate({"report": _report(draft), "because": because}), reason=said.reason)
    return draft.done(Disposition.LATE, error)


def _report(draft: _Draft) -> dict[str, Any]:
    record = print_transition(replace(draft.transition, at=draft.at, id=None))
    record.pop("job")
    return record


def _check_names(job: Job, fact: Fact, around: Surroundings) -> None:
    for name in ("executor", "external_id", "token"):
        had, said = getattr(job, name), getattr(fact, name, None)
        if had is not None and said is not None and had != said:
            raise Contradiction(f"Job {job.id} has the {name} {had}, not {said}.", job=job.id, field=name)
    external_id = getattr(fact, "external_id", None)
    if external_id is None:
        return
    executor = cast("str | None", getattr(fact, "executor", None)) or job.executor
    if executor is None:
        raise MalformedRecord(f"An external id must come with its executor, and job {job.id} has none.")
    other = around.bound(executor, external_id)
    if other not in (None, job.id):
        raise Contradiction(
            f"The external id {external_id} of {executor} is that of job {other}.", job=job.id, field="external_id"
        )


def _binds_nothing(job: Job, fact: Accepted | Started) -> bool:
    has_executor = fact.executor is None or job.executor is not None
    return has_executor and (fact.external_id is None or job.external_id is not None)


_BEGUN = (Phase.RUNNING, Phase.SUSPENDED, Phase.CLOSING)
_SO_ALREADY: dict[type[Fact], Callable[[Job, Any], bool]] = {
    Suspended: lambda job, _: job.phase is Phase.SUSPENDED,
    Resumed: lambda job, _: job.phase is Phase.RUNNING,
    CancelRequested: lambda job, _: job.cancel_requested,
    ContactLost: lambda job, _: job.contact_lost,
    ContactRegained: lambda job, _: not job.contact_lost,
    HoldPlaced: lambda job, _: job.held,
    HoldLifted: lambda job, _: not job.held,
    Expired: lambda job, _: job.expired,
    Accepted: lambda job, fact: job.phase in (Phase.QUEUED, *_BEGUN) and _binds_nothing(job, fact),
    Started: lambda job, fact: job.phase in _BEGUN and _binds_nothing(job, fact),
    Attached: lambda job, fact: all(entity in job.entities for entity in fact.entities),
    Detached: lambda job, fact: not any(lets_go(r, entity) for r in fact.entities for entity in job.entities),
}


def _so_already(job: Job, fact: Fact) -> bool:
    check = _SO_ALREADY.get(type(fact))
    return check is not None and check(job, fact)


# --- Legality


def _check_legal(draft: _Draft, job: Job, fact: Fact, *, historical: bool) -> None:
    if job.phase not in TRANSITIONS[fact.name]:
        raise _illegal(job, fact)
    check = _LEGAL.get(type(fact))
    if check is not None:
        check(draft, job, fact)
    if isinstance(fact, Submitted) and job.cancel_requested and not historical:
        raise CancelWasRequested(f"Cancelling was asked of {job.id}, so it is not submitted.", job=job.id)
    if isinstance(fact, Expired) and job.parent is not None and not historical:
        raise _illegal(job, fact, " by itself; a tree expires with its root")
    if isinstance(fact, CancelRequested) and not job.cancellable and not historical:
        raise NotCancellable(f"Job {job.id} was planned as one that cannot be cancelled.", job=job.id)


def _illegal(job: Job, fact: Fact, but: str = "") -> IllegalTransition:
    state = f"{job.phase} ({job.outcome})" if job.outcome else str(job.phase)
    return IllegalTransition(
        f"A job that is {state} cannot take {fact.name}{but}: {job.id}.",
        job=job.id,
        phase=str(job.phase),
        event=fact.name,
    )


def _check_success(draft: _Draft, job: Job, fact: Any) -> None:
    children = draft.children(job.id)
    if not any(child.outcome is not Outcome.REFUSED for child in children):
        return
    if parent_value(children, cancelling=False) is not Value.SUCCEEDED:
        names = in_the_way(children)
        raise ChildrenNotSucceeded(
            f"Job {job.id} succeeds only where its required children did, and {_few(names)} did not.",
            job=job.id,
            children=names,
        )
    if job.end_action is EndAction.OWNER and not job.closed and job.phase is not Phase.CLOSING:
        raise _illegal(job, fact, " before an owner has claimed its end action")


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"  # noqa: PLR2004 - three names fit a line


def _check_claim(draft: _Draft, job: Job, fact: Any) -> None:
    said = draft.transition
    _check_owner_named(draft, job, fact)
    children = [child for child in draft.children(job.id) if child.outcome is not Outcome.REFUSED]
    if job.end_action is not EndAction.OWNER or not children or any(child.outcome is None for child in children):
        raise _illegal(job, fact, " before all its children are closed, or without an end action of an owner")
    if job.claimed_by is None or job.claimed_by == (said.owner, said.epoch):
        return
    owner, epoch = job.claimed_by
    if not draft.around.owner(owner).fences(epoch):
        raise AlreadyClaimed(
            f"The end action of {job.id} is with {owner}, epoch {epoch}, which is not fenced.",
            job=job.id,
            owner=owner,
            epoch=epoch,
        )


def _check_owner_named(draft: _Draft, _job: Job, fact: Any) -> None:
    if draft.transition.owner is None or draft.transition.epoch is None:
        raise MalformedRecord(f"A record of {fact.name} must name the owner and the epoch.")


def _check_resolve(draft: _Draft, job: Job, fact: Any) -> None:
    if fact.outcome in (Outcome.UNKNOWN, Outcome.REFUSED):
        raise MalformedRecord(f"A job is resolved to an outcome that says something, not to {fact.outcome}.")
    if job.outcome is not Outcome.UNKNOWN:
        raise _illegal(job, fact, "; only unknown is resolved, any other outcome is disputed")
    if fact.outcome is Outcome.SUCCEEDED:
        _check_success(draft, job, fact)


def _check_dispute(_draft: _Draft, job: Job, fact: Any) -> None:
    if job.outcome is Outcome.UNKNOWN:
        raise _illegal(job, fact, "; unknown is resolved, not disputed")


def _check_expiry(_draft: _Draft, job: Job, fact: Any) -> None:
    if job.outcome is Outcome.UNKNOWN or job.held:
        raise _illegal(job, fact, " while it is unresolved or held")


def _check_hold(_draft: _Draft, job: Job, fact: Any) -> None:
    if job.expired:
        raise _illegal(job, fact, "; it has expired")


def _check_refused(_draft: _Draft, job: Job, fact: Any) -> None:
    if not job.refused:
        raise _illegal(job, fact, "; it is planned")


def _check_attach(_draft: _Draft, job: Job, fact: Any) -> None:
    held = {(entity.type, entity.id, entity.role): entity.access for entity in job.entities}
    for entity in fact.entities:
        access = held.get((entity.type, entity.id, entity.role), entity.access)
        if access is not entity.access:
            raise Contradiction(
                f"Job {job.id} holds {entity} as {entity.role} with {access} access; detach it first.",
                job=job.id,
                field="entities",
            )


_LEGAL: dict[type[Fact], Callable[[_Draft, Job, Any], None]] = {
    Succeeded: _check_success,
    Closing: _check_claim,
    Adopted: _check_owner_named,
    Resolved: _check_resolve,
    Disputed: _check_dispute,
    Expired: _check_expiry,
    HoldPlaced: _check_hold,
    Refused: _check_refused,
    Attached: _check_attach,
}


# --- Recording, and what follows in the same append


def _record(draft: _Draft, job: Job, fact: Fact, *, historical: bool) -> None:
    said = draft.transition
    if isinstance(fact, Ended) and not isinstance(fact, Resolved) and job.outcome is Outcome.UNKNOWN:
        if isinstance(fact, Succeeded):
            _check_success(draft, job, fact)
        terms = {name: getattr(fact, name) for name in Ended.model_fields}
        fact = Resolved.model_construct(**terms, outcome=OUTCOMES[fact.name], report=_report(draft))
    draft.add(said.job, fact, reason=said.reason, raw=said.raw)
    if isinstance(fact, CancelRequested):
        for below in draft.around.descendants(job.id):
            if not below.closed and not below.cancel_requested and (below.cancellable or historical):
                draft.add(below.id, fact, reason=said.reason)
    if isinstance(fact, Expired) and job.parent is None:
        _expire_below(draft, job, fact)
    if isinstance(fact, Ended):
        _close_parents(draft, job)


def _expire_below(draft: _Draft, job: Job, fact: Expired) -> None:
    for below in draft.around.descendants(job.id):
        if not (below.expired or below.refused):
            _check_legal(draft, below, fact, historical=True)
            draft.add(below.id, fact, reason=draft.transition.reason)


def _close_parents(draft: _Draft, job: Job) -> None:
    while job.parent is not None:
        parent = draft.job(job.parent)
        fact = _parent_fact(draft, parent) if parent else None
        if parent is None or fact is None:
            return
        draft.add(parent.id, fact)
        job = parent


def _parent_fact(draft: _Draft, parent: Job) -> Fact | None:
    auto = parent.end_action is EndAction.AUTO
    open_auto = auto and not parent.closed
    lost = parent.outcome is Outcome.UNKNOWN and parent.lost_through_children
    if not (open_auto or lost):
        return None
    children = [child for child in draft.children(parent.id) if child.outcome is not Outcome.REFUSED]
    value = parent_value(children, cancelling=parent.cancel_requested)
    if open_auto:
        return None if any(child.outcome is None for child in children) else _END_OF_PARENT[value](children)
    if value in (Value.FAILED, Value.CANCELLED) or (value is Value.SUCCEEDED and auto):
        return Resolved(outcome=Outcome(str(value)), evidence={"children": in_the_way(children)})
    return None


_END_OF_PARENT: dict[Value, Callable[[Sequence[Child]], Fact]] = {
    Value.SUCCEEDED: lambda _: Succeeded(),
    Value.FAILED: lambda children: Failed(evidence={"children": in_the_way(children)}),
    Value.CANCELLED: lambda children: Cancelled(evidence={"children": in_the_way(children)}),
    Value.UNKNOWN: lambda children: Lost(evidence={"children": in_the_way(children)}),
}


# --- Owners


def _fenced(said: Transition, around: Surroundings) -> bool:
    return said.owner is not None and said.epoch is not None and around.owner(said.owner).fences(said.epoch)


def _stale(said: Transition, around: Surroundings) -> StaleEpoch:
    newest = around.owner(said.owner or "").epoch
    return StaleEpoch(
        f"Epoch {said.epoch} of {said.owner} is fenced; the newest is {newest}.",
        owner=said.owner,
        epoch=said.epoch,
        newest=newest,
    )


def _decide_owner(draft: _Draft) -> Decision:
    said = draft.transition
    owner = draft.around.owner(said.job)
    known = draft.around.told_of_owner(said.job)
    told = known.by_content.get(digest(said.fact, said.raw, None, said.owner, said.epoch))
    if told is not None:
        return Decision(Disposition.UNCHANGED, told)
    epoch = said.epoch or 0
    if (isinstance(said.fact, OwnerStarted) and owner.fences(epoch + 1)) or epoch < 1:
        raise _stale(said, draft.around)
    if isinstance(said.fact, OwnerFenced) and epoch > owner.epoch:
        raise IllegalTransition(
            f"An epoch must have started to be fenced, and {said.job} is at epoch {owner.epoch}.",
            job=said.job,
            phase="started",
            event=said.fact.name,
        )
    event = Event(
        id=said.id or "",
        job=said.job,
        version=owner.version + 1,
        occurred_at=draft.at,
        fact=said.fact,
        actor=said.actor,
        reason=said.reason,
        owner=said.owner,
        epoch=said.epoch,
        raw=said.raw,
        traceparent=said.traceparent,
    )
    return Decision(Disposition.RECORDED, event.version, (event,))
