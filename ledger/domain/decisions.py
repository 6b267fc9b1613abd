"""What follows from a transition: the events, or the reason why there are none.

`decide` judges in the order that the contract gives: an epoch whose start is gone; the same id with other content;
content told before; another plan; a fenced epoch or a closed job; another external id or token; what is so already; the
transition table.
"""

from datetime import datetime

from ledger.domain.commands import Plan, Transition
from ledger.domain.content import digest
from ledger.domain.damage import stream_damaged
from ledger.domain.draft import Decision, Disposition, Draft, Surroundings, check_begun, fenced, other_content, stale
from ledger.domain.events import LEDGER_FACTS, OWNER_FACTS, LossAccepted, OwnerFenced, OwnerStarted
from ledger.domain.planning import decide_plan, refuse
from ledger.domain.reporting import decide_report

__all__ = ["Decision", "Disposition", "Surroundings", "decide", "refuse"]


def decide(transition: Transition, now: datetime, around: Surroundings, *, historical: bool = False) -> Decision:
    """The events that follow from a transition, in order; none where it was told before.

    `transition.id` is set. `historical` is for an import, which records what has already happened: cancelling that
    was asked for stops nothing. Raises `Conflict`, `NotFound` or `BadInput`.
    """
    draft = Draft(transition, transition.at or now, around)
    if type(transition.fact) in OWNER_FACTS:
        return decide_owner(draft)
    check_begun(transition, around)
    if type(transition.fact) in LEDGER_FACTS:
        return decide_itself(draft)
    if type(transition.fact) is Plan:
        return decide_plan(draft, transition.fact, historical=historical)
    return decide_report(draft, transition.fact, historical=historical)


def decide_owner(draft: Draft) -> Decision:
    """The event of an owner; raises `StaleEpoch` for an epoch that is not new."""
    said, epoch = draft.transition, draft.transition.epoch or 0
    owner = draft.around.owner(said.job)
    if owner.damaged:
        raise stream_damaged("owner", owner.name, owner.damaged)
    known = draft.around.told_of_owner(said.job)
    told = known.under(said.id)
    if told is not None and digest(said.fact, said.raw, None, said.owner, said.epoch) not in told.contents:
        raise other_content(said)
    version = known.version_of(said.fact, said.raw, None, (said.owner, said.epoch))
    if version is not None:
        return Decision(Disposition.UNCHANGED, version)
    if isinstance(said.fact, OwnerStarted) and epoch <= owner.newest:
        raise stale(said, draft.around)
    if isinstance(said.fact, OwnerFenced) and owner.fences(epoch):
        return Decision(Disposition.UNCHANGED, owner.version)
    draft.add_at(owner.version + 1, said.job, said.fact, reason=said.reason, raw=said.raw)
    return draft.done()


def decide_itself(draft: Draft) -> Decision:
    """The event of the ledger itself; none where it was told before."""
    said = draft.transition
    itself = draft.around.itself(said.job)
    known = draft.around.told_of_itself(said.job)
    told = known.under(said.id)
    if told is not None and digest(said.fact, said.raw, None, None, None) not in told.contents:
        raise other_content(said)
    version = known.version_of(said.fact, said.raw, None, (None, None))
    if version is None and isinstance(said.fact, LossAccepted):
        version = itself.accepted_loss(said.fact)
    if version is not None:
        return Decision(Disposition.UNCHANGED, version)
    if fenced(said, draft.around):
        raise stale(said, draft.around)
    draft.add_at(itself.version + 1, said.job, said.fact, reason=said.reason, raw=said.raw)
    return draft.done()
