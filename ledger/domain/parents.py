"""What closes with a job in the same append: the parents above it whose value it decides."""

from collections.abc import Callable, Sequence

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
from ledger.domain.quorum import Child, Value, evidence, parent_value
from ledger.domain.states import EndAction, Outcome


def close_parents(draft: Draft, job: Job) -> None:
    """Add what becomes of the parents above a job that was closed or resolved."""
    while job.parent is not None:
        parent = draft.job(job.parent)
        fact = _parent_fact(draft, parent) if parent and not parent.damaged else None
        if parent is None or fact is None:
            return
        draft.add(parent.id, fact)
        job = parent


def _parent_fact(draft: Draft, parent: Job) -> Fact | None:
    auto = parent.end_action is EndAction.AUTO
    open_auto = auto and not parent.closed
    lost = parent.outcome is Outcome.UNKNOWN and parent.lost_through_children
    if not (open_auto or lost) or (open_auto and draft.has_open_child(parent.id)):
        return None
    children = draft.children(parent.id)
    value = parent_value(children, cancelling=parent.cancel_requested)
    if open_auto:
        return _END_OF_PARENT[value](children)
    if value in (Value.FAILED, Value.CANCELLED) or (value is Value.SUCCEEDED and auto):
        return Resolved(outcome=Outcome(str(value)), evidence=evidence(children))
    return None


_END_OF_PARENT: dict[Value, Callable[[Sequence[Child]], Fact]] = {
    Value.SUCCEEDED: lambda _: Succeeded(),
    Value.FAILED: lambda children: Failed(evidence=evidence(children)),
    Value.CANCELLED: lambda children: Cancelled(evidence=evidence(children)),
    Value.UNKNOWN: lambda children: Lost(evidence=evidence(children)),
}
