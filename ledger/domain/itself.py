"""What the ledger has on record of itself, in a stream of its own: which breaks of its promises somebody accepted."""

from typing import NamedTuple

from ledger.domain.events import BreakAccepted, Event


class Itself(NamedTuple):
    """A ledger, by its UUID, as the events of its own stream leave it."""

    id: str
    version: int = 0
    accepted: frozenset[tuple[int, str]] = frozenset()  # positions, each with the promise that is broken there


def evolve_itself(itself: Itself, event: Event) -> Itself:
    """The ledger after an event of its own stream.

    A row that is no event says nothing, and spoils nothing: here it is put on record that such a row was looked at.
    """
    fact = event.fact
    found = {(fact.position, str(fact.promise))} if isinstance(fact, BreakAccepted) else set()
    return itself._replace(version=event.version, accepted=itself.accepted | found)
