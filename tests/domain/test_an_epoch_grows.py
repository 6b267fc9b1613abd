import pytest

from ledger.errors import MalformedRecord, StaleEpoch
from tests.domain.memory import RECORDED, UNCHANGED, Memory


def test_an_epoch_that_is_not_new_is_stale() -> None:
    memory = Memory()
    memory.tell("", "owner_started", owner="o", epoch=1)
    memory.tell("", "owner_started", owner="o", epoch=3)

    with pytest.raises(StaleEpoch):
        memory.tell("", "owner_started", owner="o", epoch=2)
    assert memory.tell("", "owner_started", owner="o", epoch=1).disposition is UNCHANGED
    assert memory.tell("", "owner_started", owner="o", epoch=4).disposition is RECORDED


def test_an_epoch_that_was_fenced_by_a_newer_one_is_fenced_already() -> None:
    memory = Memory()
    for epoch in (1, 2):
        memory.tell("", "owner_started", owner="o", epoch=epoch)

    assert memory.tell("", "owner_fenced", owner="o", epoch=1).disposition is UNCHANGED
    assert memory.tell("", "owner_fenced", owner="o", epoch=2).disposition is RECORDED


def test_a_job_is_adopted_once_by_each_epoch() -> None:
    memory = Memory()
    memory.plan("a", owner="o", epoch=1)

    assert memory.tell("a", "adopted", owner="o", epoch=1).disposition is UNCHANGED
    assert memory.tell("a", "adopted", owner="o", epoch=2).disposition is RECORDED


@pytest.mark.parametrize("fields", [{"epoch": 1}, {"owner": "o"}, {"owner": "o", "epoch": 0}])
def test_an_owner_has_a_name_and_an_epoch_from_one(fields: dict[str, object]) -> None:
    with pytest.raises(MalformedRecord):
        Memory().tell("", "owner_started", **fields)
