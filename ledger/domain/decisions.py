"""What follows from a transition: the events, or the reason why there are none.

`decide` judges in the order that the contract gives: the same id with other content; content told before; another plan;
a fenced epoch or a closed job; another external id or token; what is so already; the transition table.
"""

from datetime import datetime

from ledger.domain.commands import Plan, Transition
from ledger.domain.content import digest
from ledger.domain.draft import Decision, Disposition, Draft, Surroundings, stale
from ledger.domain.events import (
    OWNER_FACTS,
    Event,
    OwnerFenced,
    OwnerStarted,
)
from ledger.domain.planning import decide_plan, refuse
from ledger.domain.reporting import decide_report
from ledger.errors import (
    IllegalTransition,
)

__all__ = ["Decision", "Disposition", "Surroundings", "decide", "refuse"]


def decide(transition: Transition, now: datetime, around: Surroundings, *, historical: bool = False) -> Decision:
    """The events that follow from a transition, in order; none where it was told before.

    `transition.id` is set. `historical` is for an import, which records what has already happened: cancelling that
    was asked for stops nothing. Raises `Conflict`, `NotFound` or `BadInput`.
    """
    draft = Draft(transition, transition.at or now, around)
    if type(transition.fact) in OWNER_FACTS:
        return decide_owner(draft)
    if isinstance(transition.fact, Plan):
        return decide_plan(draft, transition.fact, historical=historical)
    return decide_report(draft, transition.fact, historical=historical)


def decide_owner(draft: Draft) -> Decision:
    """The event of an owner; raises `StaleEpoch` for an epoch that is not new."""
    said = draft.transition
    owner = draft.around.owner(said.job)
    known = draft.around.told_of_owner(said.job)
    told = known.by_content.get(digest(said.fact, said.raw, None, said.owner, said.epoch))
    if told is not None:
        return Decision(Disposition.UNCHANGED, told)
    epoch = said.epoch or 0
    if isinstance(said.fact, OwnerStarted) and epoch <= max(owner.epoch, owner.fenced_through):
        raise stale(said, draft.around)
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
