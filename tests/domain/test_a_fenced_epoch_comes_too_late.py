"""Rule 8."""

import pytest

from ledger.errors import MalformedRecord, StaleEpoch
from tests.domain.memory import LATE, UNCHANGED, Memory, names


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    memory.tell("", "owner_started", owner="engine", epoch=1)
    memory.plan("a", owner="engine", epoch=1)
    memory.tell("", "owner_started", owner="engine", epoch=2)
    return memory


def test_its_report_is_kept_and_answered_with_stale_epoch(memory: Memory) -> None:
    kept = memory.tell("a", "started", owner="engine", epoch=1)

    assert (kept.disposition, names(kept)) == (LATE, ["a late"])
    assert isinstance(kept.error, StaleEpoch)
    assert kept.error.facts == {"owner": "engine", "epoch": 1, "newest": 2}
    assert memory.jobs["a"].phase == "planned"
    again = memory.tell("a", "started", owner="engine", epoch=1)
    assert again.disposition is UNCHANGED
    assert isinstance(again.error, StaleEpoch)


@pytest.mark.parametrize(
    ("job", "event", "body"),
    [
        ("a", "submitted", {"executor": "e", "token": "t"}),
        ("a", "adopted", {}),
        ("a", "closing", {}),
        ("b", "planned", {"type": "T"}),
    ],
)
def test_its_plans_submits_and_claims_record_nothing(
    memory: Memory, job: str, event: str, body: dict[str, str]
) -> None:
    before = len(memory.events)

    with pytest.raises(StaleEpoch):
        memory.tell(job, event, owner="engine", epoch=1, **body)
    assert len(memory.events) == before


def test_an_epoch_is_fenced_by_name_too(memory: Memory) -> None:
    memory.tell("", "owner_fenced", owner="engine", epoch=2)

    assert isinstance(memory.tell("a", "started", owner="engine", epoch=2).error, StaleEpoch)
    with pytest.raises(StaleEpoch):
        memory.tell("", "owner_started", owner="engine", epoch=1, raw="again")
    memory.tell("", "owner_started", owner="engine", epoch=3)
    assert memory.tell("a", "started", owner="engine", epoch=3).error is None


def test_an_epoch_that_never_said_that_it_started_can_be_fenced(memory: Memory) -> None:
    memory.tell("a", "started", owner="other", epoch=4)
    memory.tell("", "owner_fenced", owner="other", epoch=4)

    assert isinstance(memory.tell("a", "succeeded", owner="other", epoch=4).error, StaleEpoch)
    with pytest.raises(StaleEpoch):
        memory.tell("", "owner_started", owner="other", epoch=4)
    memory.tell("", "owner_started", owner="other", epoch=5)


def test_who_adopts_a_job_must_say_its_name(memory: Memory) -> None:
    with pytest.raises(MalformedRecord):
        memory.tell("a", "adopted")


def test_an_owner_that_never_started_is_not_fenced(memory: Memory) -> None:
    assert memory.tell("a", "started", owner="other", epoch=1).error is None
    assert (memory.jobs["a"].owner, memory.jobs["a"].epoch) == ("engine", 1)
    memory.tell("a", "adopted", owner="other", epoch=1)
    assert (memory.jobs["a"].owner, memory.jobs["a"].epoch) == ("other", 1)
