"""What a job touches, as it is shown: what it holds, what it held when it closed, and what it made."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from ledger.domain.entities import Entity, Product, Release
from ledger.domain.events import ENDINGS, Attached, Detached, Ended, Fact, Placed, Planned, Refused
from ledger.domain.facts import named

Shown = dict[str, str]  # type, id, role and access of an entity


class Touched:
    """The entities of one job in the order in which it came to touch them, sorted within what one event says.

    `position` is that of the event that changed them last. Taking one in costs the same however many there are.
    """

    __slots__ = ("_entities", "position")

    def __init__(self, entities: Iterable[Shown] = ()) -> None:
        self._entities: dict[tuple[str, ...], str] = {}  # to each the access
        self.position = 0
        for entity in entities:
            self._show((entity["type"], entity["id"], entity["role"]), entity["access"])

    def take(self, entry: Placed) -> None:
        """Take in what an event of the job says of entities."""
        fact: Any = entry.event.fact
        change = _CHANGES.get(type(fact))
        if change is not None and (change is not _make or fact.products):
            change(self, fact)
            self.position = entry.position

    def shown(self) -> list[Shown]:
        """The entities, each once."""
        found = self._entities.items()
        return [{"type": key[0], "id": key[1], "role": key[2], "access": access} for key, access in found]

    def attach(self, entities: Iterable[Entity]) -> None:
        """Add what the job does not hold already in that role."""
        for entity in sorted(entities, key=_name):
            self._entities.setdefault(_name(entity), entity.access.value)

    def detach(self, releases: Iterable[Release]) -> None:
        """Take out what the job lets go, in one role or in all."""
        for release in releases:
            if release.role is not None:
                self._entities.pop(_name(release), None)
                continue
            for key in [key for key in self._entities if key[:2] == (release.type, release.id)]:
                del self._entities[key]

    def make(self, products: Iterable[Product]) -> None:
        """Add what the job made; after that it neither attaches nor detaches."""
        for product in sorted(products, key=_name):
            self._show(_name(product), product.access.value)

    def _show(self, name: tuple[str, ...], access: str) -> None:
        if self._entities.setdefault(name, access) != access:  # it was made with another access than it is held with
            self._entities[(*name, access)] = access


_name = attrgetter("type", "id", "role")


def _make(touched: Touched, fact: Ended) -> None:
    touched.make(fact.products)


_CHANGES: Mapping[type[Fact], Callable[[Touched, Any], None]] = {
    Planned: lambda touched, fact: touched.attach(fact.entities),
    Refused: lambda _touched, _fact: None,  # it touches nothing, which is to be written down too
    Attached: lambda touched, fact: touched.attach(fact.entities),
    Detached: lambda touched, fact: touched.detach(fact.entities),
    **dict.fromkeys(ENDINGS, _make),
}
_NOT_IN_CHANGES = named(
    "submitted accepted started progressed suspended resumed cancel_requested contact_lost contact_regained closing "
    "adopted disputed late hold_placed hold_lifted expired"
)
