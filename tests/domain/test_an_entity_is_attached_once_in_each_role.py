import pytest

from ledger.domain.entities import EntityRef
from ledger.errors import Contradiction, MalformedRecord
from tests.domain.memory import RECORDED, UNCHANGED, Memory

DISK = {"type": "disk", "id": "d"}
T1, T2 = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    memory.plan("a", entities=[DISK])
    return memory


def _held(memory: Memory) -> list[str]:
    return [f"{entity} {entity.role} {entity.access}" for entity in memory.jobs["a"].entities]


def test_what_is_held_already_is_unchanged_and_the_rest_is_added(memory: Memory) -> None:
    host = {"type": "host", "id": "h", "role": "location", "access": "shared"}

    assert memory.tell("a", "attached", entities=[DISK]).disposition is UNCHANGED
    assert memory.tell("a", "attached", entities=[DISK, host]).disposition is RECORDED
    assert _held(memory) == ["disk/d target exclusive", "host/h location shared"]


def test_the_same_entity_may_be_held_in_two_roles_but_not_with_two_accesses(memory: Memory) -> None:
    memory.tell("a", "attached", entities=[{**DISK, "role": "source"}])

    with pytest.raises(Contradiction):
        memory.tell("a", "attached", entities=[{**DISK, "access": "shared"}])
    assert _held(memory) == ["disk/d target exclusive", "disk/d source exclusive"]


def test_it_is_let_go_in_one_role_or_in_all(memory: Memory) -> None:
    memory.tell("a", "attached", entities=[{**DISK, "role": "source"}])

    memory.tell("a", "detached", entities=[{**DISK, "role": "target"}], at=T1)
    assert _held(memory) == ["disk/d source exclusive"]
    memory.tell("a", "detached", entities=[DISK], at=T2)
    assert _held(memory) == []
    assert memory.tell("a", "detached", entities=[DISK]).disposition is UNCHANGED


def test_an_entity_is_written_as_type_and_id() -> None:
    assert str(EntityRef.parse("vm/a/b")) == "vm/a/b"
    with pytest.raises(MalformedRecord):
        EntityRef.parse("vm")
