"""What a job touches, as it is shown: what it holds, what it held when it closed, and what it made."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ledger.domain.entities import Entity, Product, Release
from ledger.domain.events import ENDINGS, Attached, Detached, Fact, Placed, Planned, Refused

Shown = dict[str, str]  # type, id, role and access of an entity


class Touched:
    """The entities of one job in the order in which it came to touch them, sorted within what one event says.

    `position` is that of the event that changed them last. Taking one in costs the same however many there are.
    """

    __slots__ = ("_entities", "position")

    def __init__(self, entities: Iterable[Shown] = ()) -> None:
        self._entities: dict[tuple[str, ...], Shown] = {}
        self.position = 0
        self._show(entities)

    def take(self, entry: Placed) -> None:
        """Take in what an event of the job says of entities."""
        change = _CHANGES.get(type(entry.event.fact))
        if change is not None:
            change(self, entry.event.fact)
            self.position = entry.position

    def shown(self) -> list[Shown]:
        """The entities, each once."""
        return list(self._entities.values())

    def attach(self, entities: Iterable[Entity]) -> None:
        """Add what the job does not hold already in that role."""
        self._show(_in_order(it for it in entities if (it.type, it.id, it.role) not in self._entities))

    def detach(self, releases: Iterable[Release]) -> None:
        """Take out what the job lets go, in one role or in all."""
        for release in releases:
            if release.role is not None:
                self._entities.pop((release.type, release.id, release.role), None)
                continue
            for key in [key for key in self._entities if key[:2] == (release.type, release.id)]:
                del self._entities[key]

    def make(self, products: Iterable[Product]) -> None:
        """Add what the job made; after that it neither attaches nor detaches."""
        self._show(_in_order(products))

    def _show(self, entities: Iterable[Shown]) -> None:
        for entity in entities:
            key = (entity["type"], entity["id"], entity["role"])
            if self._entities.setdefault(key, entity) != entity:  # made with another access than it is held with
                self._entities.setdefault((*key, entity["access"]), entity)


def _in_order(entities: Iterable[Entity | Product]) -> list[Shown]:
    said = sorted([(entity.type, entity.id, entity.role, entity.access.value) for entity in entities])
    return [{"type": kind, "id": name, "role": role, "access": access} for kind, name, role, access in said]


_CHANGES: Mapping[type[Fact], Callable[[Touched, Any], None]] = {
    Planned: lambda touched, fact: touched.attach(fact.entities),
    Refused: lambda _touched, _fact: None,  # it touches nothing, which is to be written down too
    Attached: lambda touched, fact: touched.attach(fact.entities),
    Detached: lambda touched, fact: touched.detach(fact.entities),
    **dict.fromkeys(ENDINGS, lambda touched, fact: touched.make(fact.products)),
}
