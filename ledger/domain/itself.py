"""What the ledger has on record of itself, in a stream of its own: which breaks of its promises somebody accepted."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ledger.domain.events import BreakAccepted, Event, Fact
from ledger.domain.facts import named


class Itself(NamedTuple):
    """A ledger, by its UUID, as the events of its own stream leave it."""

    id: str
    version: int = 0
    accepted: frozenset[tuple[int, str]] = frozenset()  # positions, each with the promise that is broken there


def evolve_itself(itself: Itself, event: Event) -> Itself:
    """The ledger after an event of its own stream.

    A row that is no event says nothing, and spoils nothing: here it is put on record that such a row was looked at.
    """
    change = _CHANGES.get(type(event.fact))
    changes = change(itself, event.fact) if change else {}
    return itself._replace(version=event.version, **changes)


def _accept(itself: Itself, fact: Any) -> dict[str, Any]:
    return {"accepted": itself.accepted | {(fact.position, str(fact.promise))}}


_CHANGES: Mapping[type[Fact], Callable[[Itself, Any], dict[str, Any]]] = {BreakAccepted: _accept}
_NOT_IN_CHANGES = named("loss_accepted")
