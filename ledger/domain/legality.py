"""What must hold beyond the transition table before a report is recorded."""

from collections.abc import Callable, Sequence
from typing import Any

from ledger.domain.draft import Draft, cancelled_above, illegal
from ledger.domain.events import (
    Adopted,
    Attached,
    CancelRequested,
    Closing,
    Disputed,
    Expired,
    Fact,
    HoldPlaced,
    Refused,
    Resolved,
    Submitted,
    Succeeded,
)
from ledger.domain.facts import named
from ledger.domain.job import Job
from ledger.domain.quorum import QuorumValue, evidence, parent_value
from ledger.domain.states import TRANSITIONS, EndAction, Outcome, Phase
from ledger.errors import (
    AlreadyClaimed,
    ChildrenNotSucceeded,
    Contradiction,
    MalformedRecord,
    NotCancellable,
)
from ledger.errors import (
    CancelRequested as CancelWasRequested,
)


def check_legal(draft: Draft, job: Job, fact: Fact, *, historical: bool) -> None:
    """Raise `Conflict` or `BadInput` where a report is not legal now."""
    if job.phase not in TRANSITIONS[fact.name]:
        raise illegal(job, fact)
    check = _LEGAL.get(type(fact))
    if check is not None:
        check(draft, job, fact)
    check = None if historical else _LEGAL_NOW.get(type(fact))
    if check is not None:
        check(draft, job, fact)


def _check_success(draft: Draft, job: Job, fact: Any) -> None:
    if not draft.around.families.has_child(job.id):
        return
    family = draft.family(job.id)
    if parent_value(family, cancelling=False) is not QuorumValue.SUCCEEDED:
        told = evidence(family)
        names, count = told["children"], told.get("count", len(told["children"]))
        raise ChildrenNotSucceeded(
            f"Job {job.id} succeeds only where its required children did, and {_few(names, count)} did not.",
            job=job.id,
            children=names,
            count=count,
        )
    if job.end_action is EndAction.OWNER and not job.closed and job.phase is not Phase.CLOSING:
        raise illegal(job, fact, " before an owner has claimed its end action")


NAMES_SHOWN = 3  # as many as fit a line


def _few(names: Sequence[str], count: int) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if count <= NAMES_SHOWN else f"{shown} and {count - NAMES_SHOWN:,} more"


def _check_claim(draft: Draft, job: Job, fact: Any) -> None:
    said = draft.transition
    _check_owner_named(draft, job, fact)
    done = draft.around.families.has_child(job.id) and next(draft.around.families.open_children(job.id), None) is None
    if job.end_action is not EndAction.OWNER or not done:
        raise illegal(job, fact, " before all its children are closed, or without an end action of an owner")
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


def _check_owner_named(draft: Draft, _job: Job, fact: Any) -> None:
    if draft.transition.owner is None or draft.transition.epoch is None:
        raise MalformedRecord(f"A record of {fact.name} must name the owner and the epoch.")


def _check_resolve(draft: Draft, job: Job, fact: Any) -> None:
    if fact.outcome in (Outcome.UNKNOWN, Outcome.REFUSED):
        raise MalformedRecord(f"A job is resolved to an outcome that says something, not to {fact.outcome}.")
    if job.outcome is not Outcome.UNKNOWN:
        raise illegal(job, fact, "; only unknown is resolved, any other outcome is disputed")
    if fact.outcome is Outcome.SUCCEEDED:
        _check_success(draft, job, fact)


def _check_dispute(_draft: Draft, job: Job, fact: Any) -> None:
    if job.outcome is Outcome.UNKNOWN:
        raise illegal(job, fact, "; unknown is resolved, not disputed")


def _check_expiry(_draft: Draft, job: Job, fact: Any) -> None:
    if job.outcome is Outcome.UNKNOWN or job.held:
        raise illegal(job, fact, " while it is unresolved or held")


def _check_uncancelled(draft: Draft, job: Job, _fact: Any) -> None:
    cancelled = cancelled_above(job, draft.around)
    if cancelled:
        raise CancelWasRequested(f"Cancelling was asked of {cancelled}, so {job.id} is not submitted.", job=cancelled)


def _check_cancellable(_draft: Draft, job: Job, _fact: Any) -> None:
    if not job.cancellable:
        raise NotCancellable(f"Job {job.id} was planned as one that cannot be cancelled.", job=job.id)


def _check_root(_draft: Draft, job: Job, fact: Any) -> None:
    if job.parent is not None:
        raise illegal(job, fact, " by itself; a tree expires with its root")


def _check_hold(_draft: Draft, job: Job, fact: Any) -> None:
    if job.expired:
        raise illegal(job, fact, "; it has expired")


def _check_refused(_draft: Draft, job: Job, fact: Any) -> None:
    if not job.refused:
        raise illegal(job, fact, "; it is planned")


def _check_attach(_draft: Draft, job: Job, fact: Any) -> None:
    held = {(entity.type, entity.id, entity.role): entity.access for entity in job.entities}
    for entity in fact.entities:
        access = held.get((entity.type, entity.id, entity.role), entity.access)
        if access is not entity.access:
            raise Contradiction(
                f"Job {job.id} holds {entity} as {entity.role} with {access} access; detach it first.",
                job=job.id,
                field="entities",
            )


Check = Callable[[Draft, Job, Any], None]
_LEGAL: dict[type[Fact], Check] = {
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
_NOT_IN_LEGAL = named(  # the transition table says all
    "planned submitted accepted started progressed suspended resumed cancel_requested detached contact_lost "
    "contact_regained failed cancelled abandoned lost late hold_lifted"
)
_LEGAL_NOW: dict[type[Fact], Check] = {  # not of an import, which records what has already happened
    Submitted: _check_uncancelled,
    CancelRequested: _check_cancellable,
    Expired: _check_root,
}
_NOT_IN_LEGAL_NOW = named(
    "planned refused accepted started progressed suspended resumed attached detached contact_lost contact_regained "
    "closing adopted succeeded failed cancelled abandoned lost resolved disputed late hold_placed hold_lifted"
)
