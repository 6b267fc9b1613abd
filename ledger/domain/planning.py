"""What follows from a plan: a `planned` for each job of it, or a refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain.commands import Plan, Transition, check_plan, planned, print_transition, within
from ledger.domain.content import digest
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
from ledger.domain.events import (
    Refused,
)
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

TREE_DEPTH_MAX = 16


def decide_plan(draft: Draft, plan: Plan, *, historical: bool) -> Decision:
    """The events that put a plan and its children on record; none where it was told before."""
    said, around = draft.transition, draft.around
    top = check_plan(plan.model_copy(update={"actor": said.actor, "reason": said.reason}))
    known = around.told(plan.job)
    content = digest(planned(top), None, None, None, None)
    told = known.by_id.get(said.id or "")
    if told is not None and told[0] != content:
        raise other_content(said)
    if content in known.by_content:
        _check_children_told(top, around)
        return Decision(Disposition.UNCHANGED, known.by_content[content])
    _refuse_other_plan(around.job(plan.job))
    if fenced(said, around):
        raise stale(said, around)
    root, depth = _place(top, around, historical=historical)
    _plan_tree(draft, top, root, depth)
    return draft.done()


def _check_children_told(plan: Plan, around: Surroundings) -> None:
    for part in plan.children:
        child = within(plan, part)
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
    cancelled = None if historical else cancelled_above(parent, around)
    if cancelled:
        raise CancelWasRequested(f"Cancelling was asked of {cancelled}, so {plan.job} is not planned.", job=cancelled)
    return parent.root, parent.depth + 1


def _plan_tree(draft: Draft, plan: Plan, root: str, depth: int) -> None:
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


def _inherited(draft: Draft, plan: Plan) -> tuple[str | None, str | None]:
    parent = draft.job(plan.parent) if plan.parent else None
    if parent is None:
        return plan.actor, plan.reason
    return plan.actor or parent.actor, plan.reason or parent.reason


def _check_retry(draft: Draft, plan: Plan) -> None:
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
    draft = Draft(transition, transition.at or now, around)
    whole = print_transition(replace(transition, id=None, at=None))
    plan = {key: value for key, value in whole.items() if key not in ("job", "event", "actor", "reason", "traceparent")}
    fact = Refused(plan=plan, blockers=list(blockers))
    told = around.told(transition.job).by_content.get(digest(fact, None, None, None, None))
    if told is not None:
        return Decision(Disposition.UNCHANGED, told)
    draft.add(transition.job, fact, reason=transition.reason)
    return draft.done()
