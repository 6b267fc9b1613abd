"""What the ledger has on record of itself, in a stream of its own: which breaks of its promises somebody accepted."""

from typing import NamedTuple

from ledger.domain.damage import out_of_turn
from ledger.domain.events import BreakAccepted, Damaged, Event, LossAccepted


class Itself(NamedTuple):
    """A ledger, by its UUID, as the events of its own stream leave it."""

    id: str
    version: int = 0
    accepted: frozenset[tuple[int, str]] = frozenset()  # positions, each with the promise that is broken there
    damaged: str | None = None


def evolve_itself(itself: Itself, event: Event) -> Itself:
    """The ledger after an event of its own stream; a row of a loss that is none says nothing, and spoils nothing.

    Any writer may put a loss on record, and none may keep others from accepting a break.
    """
    if isinstance(event.fact, Damaged) and event.fact.row_topic == LossAccepted.topic:
        return itself._replace(version=event.version)
    why = itself.damaged or out_of_turn(itself.version, event)
    if why is not None:
        return itself._replace(version=event.version, damaged=why)
    fact = event.fact
    found = {(fact.position, str(fact.promise))} if isinstance(fact, BreakAccepted) else set()
    return itself._replace(version=event.version, accepted=itself.accepted | found)
