"""The ids of events: the caller's own, or one that is chosen here so that a lost append can be found again."""

from ledger import clock
from ledger.domain.commands import Transition
from ledger.errors import MalformedRecord

CHOSEN = "~"


def identified(said: Transition) -> Transition:
    """The transition under an id; raises `MalformedRecord` where its own looks like one that is chosen here."""
    if said.id is None:
        return Transition(said.job, said.fact, said.at, CHOSEN + clock.new_id(), *said[4:])  # half the time of _replace
    if is_chosen(said.id):
        raise MalformedRecord(f"The id of a transition must not begin with {CHOSEN}, and this is {said.id}.")
    return said


def is_chosen(event_id: str) -> bool:
    """Whether an id was chosen here, so that it means nothing to the caller."""
    return event_id.startswith(CHOSEN)
