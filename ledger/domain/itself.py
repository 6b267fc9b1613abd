"""What the ledger has on record of itself, in a stream of its own: which breaks of its promises, and which losses,
somebody accepted.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ledger.domain.events import BreakAccepted, Event, Fact, LossAccepted


class Itself(NamedTuple):
    """A ledger, by its UUID, as the events of its own stream leave it."""

    id: str
    version: int = 0
    accepted: frozenset[tuple[int, str]] = frozenset()  # positions, each with the promise that is broken there
    losses: tuple[tuple[int, LossAccepted], ...] = ()  # each with the version at which it was accepted

    def accepted_loss(self, loss: LossAccepted) -> int | None:
        """At which version it was accepted that the same is gone; None where it was not.

        Who has accepted it has forgotten which receipts are gone, and tells of none; who tells of others adds to it.
        """
        for version, told in self.losses:
            known = (told.known_at, told.known_id) == (loss.known_at, loss.known_id)
            if known and (not loss.receipts or (told.receipts, told.jobs) == (loss.receipts, loss.jobs)):
                return version
        return None


def evolve_itself(itself: Itself, event: Event) -> Itself:
    """The ledger after an event of its own stream.

    A row that is no event says nothing, and spoils nothing: here it is put on record that such a row was looked at.
    """
    change = _CHANGES.get(type(event.fact))
    changes = change(itself, event) if change else {}
    return itself._replace(version=event.version, **changes)


def _accept(itself: Itself, event: Event) -> dict[str, Any]:
    fact: Any = event.fact
    return {"accepted": itself.accepted | {(fact.position, str(fact.promise))}}


def _accept_loss(itself: Itself, event: Event) -> dict[str, Any]:
    return {"losses": (*itself.losses, (event.version, event.fact))}


_CHANGES: Mapping[type[Fact], Callable[[Itself, Event], dict[str, Any]]] = {
    BreakAccepted: _accept,
    LossAccepted: _accept_loss,
}
