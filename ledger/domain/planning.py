"""What follows from a plan: a `planned` for each job of it, or a refusal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ledger.domain.commands import ENVELOPE, TREE_DEPTH_MAX, Plan, Transition, planned, print_transition
from ledger.domain.content import digest
from ledger.domain.damage import stream_damaged
from ledger.domain.draft import (
    Decision,
    Disposition,
    Draft,
    Surroundings,
    cancelled_above,
    fenced,
    other_content,
    stale,
)
from ledger.domain.events import Planned, Refused
from ledger.domain.job import Job
from ledger.domain.states import Phase
from ledger.errors import (
    CancelRequested as CancelWasRequested,
)
from ledger.errors import (
    Contradiction,
    JobNotFound,
    MalformedRecord,
    ParentClosed,
    TreeTooDeep,
)


def decide_plan(draft: Draft, plan: Plan, *, historical: bool) -> Decision:
    """The events that put a plan and its children on record; none where it was told before."""
    said, around = draft.transition, draft.around
    parent = around.job(plan.parent) if plan.parent else None
    job = around.job(plan.job)
    for known in (job, parent):
        if known is not None and known.damaged:
            raise stream_damaged("job", known.id, known.damaged)
    fact = _place(plan, parent)
    version = _version_told(draft, plan.job, fact) if job is not None else None
    if version is not None:
        _check_children_told(plan, around)
        return Decision(Disposition.UNCHANGED, version)
    _refuse_other_plan(job)
    if fenced(said, around):
        raise stale(said, around)
    if plan.parent is not None:
        _check_parent(plan, plan.parent, parent, around, historical=historical)
    actor = said.actor or (parent.actor if parent else None)
    reason = said.reason or (parent.reason if parent else None)
    _plan_job(draft, plan, fact, job, actor=actor, reason=reason, raw=said.raw)
    return draft.done()


_NOBODY = (None, None)  # a plan is the same whoever tells it


def _version_told(draft: Draft, job: str, fact: Planned) -> int | None:
    """The version under which a plan was told before; raises `Contradiction` where its id names another."""
    said = draft.transition
    told = draft.around.told(job)
    under = told.under(said.id)
    if under is not None and digest(fact, said.raw, None, None, None) not in under.contents:
        raise other_content(said)
    return told.version_of(fact, said.raw, None, _NOBODY)


def _place(plan: Plan, parent: Job | None) -> Planned:
    if plan.parent is None:
        return plan.alone
    if parent is None:
        return planned(plan, plan.job, 1, plan.parent)
    return planned(plan, parent.root, parent.depth + 1, plan.parent)


def _check_children_told(plan: Plan, around: Surroundings) -> None:
    for child in plan.children:
        fact = planned(child, "", 1, plan.job)
        if around.told(child.job).version_of(fact, None, None, _NOBODY) is None:
            raise Contradiction(
                f"Job {plan.job} must be planned again with the same children, and {child.job} is another.",
                job=plan.job,
                field="children",
            )
        _check_children_told(child, around)


def _refuse_other_plan(job: Job | None) -> None:
    if job is not None and job.damaged:
        raise stream_damaged("job", job.id, job.damaged)
    if job is not None and not job.refused:
        raise Contradiction(f"Job {job.id} is on record under another plan.", job=job.id, field="plan")


def _check_parent(plan: Plan, name: str, parent: Job | None, around: Surroundings, *, historical: bool) -> None:
    if parent is None:
        raise JobNotFound(f"No event speaks of {name}, the parent of {plan.job}.", job=name)
    if parent.phase in (Phase.CLOSING, Phase.CLOSED):
        raise ParentClosed(
            f"Children must be planned before their parent is closing, and {parent.id} is {parent.phase}.",
            job=plan.job,
            parent=parent.id,
        )
    cancelled = None if historical else cancelled_above(parent, around)
    if cancelled:
        raise CancelWasRequested(f"Cancelling was asked of {cancelled}, so {plan.job} is not planned.", job=cancelled)


def _plan_job(
    draft: Draft, plan: Plan, fact: Planned, job: Job | None, *, actor: str | None, reason: str | None, raw: str | None
) -> None:
    """Add that a job was planned, and its children after it, which inherit who asked for it and why."""
    if fact.depth > TREE_DEPTH_MAX:
        raise TreeTooDeep(
            f"A tree of jobs must be {TREE_DEPTH_MAX} deep at most, and {plan.job} would be deeper.",
            limit=TREE_DEPTH_MAX,
        )
    _refuse_other_plan(job)
    if plan.retry_of is not None:
        _check_retry(draft, plan, plan.retry_of, fact.parent)
    draft.add_at(job.version + 1 if job else 1, plan.job, fact, actor=actor, reason=reason, raw=raw)
    for child in plan.children:
        below = planned(child, fact.root, fact.depth + 1, plan.job)
        who, why = child.actor or actor, child.reason or reason
        _plan_job(draft, child, below, draft.around.job(child.job), actor=who, reason=why, raw=None)


def _check_retry(draft: Draft, plan: Plan, retry_of: str, parent: str | None) -> None:
    earlier = draft.job(retry_of)
    if earlier is None:
        raise JobNotFound(f"No event speaks of {retry_of}, which {plan.job} would retry.", job=retry_of)
    if earlier.refused or earlier.parent != parent or earlier.id == plan.job:
        raise MalformedRecord(f"A retry must name a job under the same parent, and {retry_of} is none for {plan.job}.")


def refuse(
    transition: Transition,
    now: datetime,
    around: Surroundings,
    blockers: Sequence[Mapping[str, Any]],
    count: int | None = None,
) -> Decision:
    """The event that admission said no to a plan; none where the same blockers refused the same plan before.

    `count` says how many there are, where the blockers are not all.
    """
    draft = Draft(transition, transition.at or now, around)
    whole = print_transition(transition)
    plan = {name: value for name, value in whole.items() if name not in _OF_THE_EVENT}
    more = count if count is not None and count > len(blockers) else None
    fact = Refused(plan=plan, blockers=list(blockers), count=more)
    told = around.told(transition.job).version_of(fact, transition.raw, None, _NOBODY)
    if told is not None:
        return Decision(Disposition.UNCHANGED, told)
    draft.add(transition.job, fact, reason=transition.reason, raw=transition.raw)
    return draft.done()


_OF_THE_EVENT = ENVELOPE | {"event"}
