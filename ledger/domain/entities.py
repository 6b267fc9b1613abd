"""The things that jobs touch."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from ledger.domain.values import EntityId, Frozen, RoleName, TypeName
from ledger.errors import MalformedRecord, TooManyEntities

ENTITIES_MAX = 1_000


class Access(StrEnum):
    """How a job holds an entity; `exclusive` stands against `exclusive` and `shared`, `none` against nothing."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"
    NONE = "none"


# With what access others stand in the way of somebody who asks for each.
AGAINST: Mapping[Access, tuple[Access, ...]] = {
    Access.EXCLUSIVE: (Access.EXCLUSIVE, Access.SHARED),
    Access.SHARED: (Access.EXCLUSIVE,),
    Access.NONE: (),
}


class EntityRef(Frozen):
    """An entity by its type and id, as in `vm/web01`."""

    type: TypeName
    id: EntityId

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "EntityRef":
        """`TYPE/ID`, where the id may hold further slashes; raises `MalformedRecord` for anything else."""
        kind, slash, name = text.partition("/")
        if not slash:
            raise MalformedRecord(f"An entity must read TYPE/ID, as in vm/web01, and this reads {text!r}.")
        return cls(type=kind, id=name)


class Entity(EntityRef):
    """An entity as a job holds it: in a role, with an access."""

    role: RoleName = "target"
    access: Access = Access.EXCLUSIVE


class Product(EntityRef):
    """An entity that a job made; it is found through its job, and holds nothing up."""

    role: RoleName = "product"
    access: Access = Access.NONE


class Release(EntityRef):
    """An entity to let go, in one role or, where none is said, in all."""

    role: RoleName | None = None


def distinct(entities: "tuple[Named, ...]") -> "tuple[Named, ...]":
    """The entities themselves; raises where they are too many for one event, or one is there twice in a role."""
    if len(entities) > ENTITIES_MAX:
        raise TooManyEntities(
            f"One event must name {ENTITIES_MAX:,} entities at most, and this names {len(entities):,}.",
            limit=ENTITIES_MAX,
            found=len(entities),
        )
    seen = {(entity.type, entity.id, entity.role) for entity in entities}
    if len(seen) < len(entities):
        raise MalformedRecord("One event must name an entity once in each role, and this names one twice.")
    return entities


Named = TypeVar("Named", Entity, Product, Release)
Entities = Annotated[tuple[Entity, ...], AfterValidator(distinct)]
Products = Annotated[tuple[Product, ...], AfterValidator(distinct)]
Releases = Annotated[tuple[Release, ...], AfterValidator(distinct)]
