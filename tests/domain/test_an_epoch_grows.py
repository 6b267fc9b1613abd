import pytest

from ledger.domain.epoch import OwnerEpoch
from ledger.domain.owner import Owner
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


@pytest.mark.parametrize(
    ("owner", "epoch", "behind"),
    [
        (Owner("o"), None, False),
        (Owner("o"), 3, False),
        (Owner("o", epoch=1), None, True),
        (Owner("o", fenced_through=2), None, True),
        (Owner("o", epoch=2), 1, True),
        (Owner("o", epoch=2), 2, False),
        (Owner("o", epoch=2, fenced_through=2), 2, True),
        (Owner("o", fenced_through=2), 3, False),
    ],
)
def test_nobody_answers_for_what_an_earlier_epoch_began(owner: Owner, epoch: int | None, behind: bool) -> None:
    """What was begun without a number came before the first epoch."""
    assert owner.left_behind(epoch) is behind


def test_an_epoch_reads_as_its_owner_and_number() -> None:
    assert str(OwnerEpoch("engine", 3)) == "engine, epoch 3"
