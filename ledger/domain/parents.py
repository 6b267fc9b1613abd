"""What closes with a job in the same append: the parents above it whose value it decides."""

from collections.abc import Callable

from ledger.domain.draft import Draft
from ledger.domain.events import (
    Cancelled,
    Fact,
    Failed,
    Lost,
    Resolved,
    Succeeded,
)
from ledger.domain.job import Job
from ledger.domain.quorum import FAILURES, Family, QuorumValue, evidence, parent_value
from ledger.domain.states import EndAction, Outcome


def close_parents(draft: Draft, job: Job) -> None:
    """Add what becomes of the parents above a job that was closed or resolved."""
    while job.parent is not None:
        parent = draft.job(job.parent)
        fact = _parent_fact(draft, parent, job.id) if parent and not parent.damaged else None
        if parent is None or fact is None:
            return
        draft.add(parent.id, fact)
        job = parent


def _parent_fact(draft: Draft, parent: Job, child: str) -> Fact | None:
    auto = parent.end_action is EndAction.AUTO
    open_auto = auto and not parent.closed
    lost = parent.outcome is Outcome.UNKNOWN and parent.lost_through_children
    if not (open_auto or lost) or (open_auto and draft.has_open_child(parent.id)):
        return None
    # Of thousands most end while others are yet to end, and none of them may have to look at all.
    if lost and not _failed(draft, child) and draft.around.families.unsettled_beside(parent.id, child):
        return None
    family = draft.family(parent.id)
    value = parent_value(family, cancelling=parent.cancel_requested)
    if open_auto:
        return _END_OF_PARENT[value](family)
    if value in (QuorumValue.FAILED, QuorumValue.CANCELLED) or (value is QuorumValue.SUCCEEDED and auto):
        return Resolved(outcome=Outcome(str(value)), evidence=evidence(family))
    return None


def _failed(draft: Draft, child: str) -> bool:
    job = draft.job(child)
    return job is not None and job.outcome in FAILURES


_END_OF_PARENT: dict[QuorumValue, Callable[[Family], Fact]] = {
    QuorumValue.SUCCEEDED: lambda _: Succeeded(),
    QuorumValue.FAILED: lambda family: Failed(evidence=evidence(family)),
    QuorumValue.CANCELLED: lambda family: Cancelled(evidence=evidence(family)),
    QuorumValue.UNKNOWN: lambda family: Lost(evidence=evidence(family)),
}
