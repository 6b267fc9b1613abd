import pytest

from ledger.errors import IllegalTransition
from tests.domain.memory import UNCHANGED, Memory, names, parts

EXPIRED = {"policy": "hyperv", "cause": "keep_for", "threshold": 300}


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    memory.plan("p", end_action="auto", children=parts("p/1", "p/2"))
    memory.tell("p/1", "succeeded")
    return memory


def test_it_expires_as_a_whole(memory: Memory) -> None:
    memory.tell("p/2", "failed")

    assert names(memory.tell("p", "expired", **EXPIRED)) == ["p expired", "p/1 expired", "p/2 expired"]
    assert memory.tell("p", "expired", **EXPIRED).disposition is UNCHANGED
    with pytest.raises(IllegalTransition):
        memory.tell("p/1", "hold_placed")


def test_one_job_of_it_does_not_leave_alone(memory: Memory) -> None:
    with pytest.raises(IllegalTransition, match="root"):
        memory.tell("p/1", "expired", **EXPIRED)
    memory.tell("p/1", "expired", historical=True, **EXPIRED)


@pytest.mark.parametrize(
    ("job", "event"), [("p/1", "hold_placed"), ("p/2", "lost"), ("p/2", "started")], ids=["held", "unknown", "open"]
)
def test_one_job_keeps_the_whole_tree(memory: Memory, job: str, event: str) -> None:
    memory.tell(job, event)
    if event == "hold_placed":
        memory.tell("p/2", "succeeded")
    memory.tell("p", "failed")

    with pytest.raises(IllegalTransition):
        memory.tell("p", "expired", **EXPIRED)
    assert not any(state.expired for state in memory.jobs.values())


def test_a_hold_that_is_lifted_keeps_nothing(memory: Memory) -> None:
    memory.tell("p/2", "succeeded")
    memory.tell("p/2", "hold_placed")
    memory.tell("p/2", "hold_lifted")
    assert memory.tell("p/2", "hold_lifted").disposition is UNCHANGED

    memory.tell("p", "expired", **EXPIRED)
    assert memory.jobs["p/2"].expired


def test_what_has_expired_by_an_import_does_not_expire_again(memory: Memory) -> None:
    memory.tell("p/2", "failed")
    memory.tell("p/1", "expired", historical=True, **EXPIRED)

    assert names(memory.tell("p", "expired", **EXPIRED)) == ["p expired", "p/2 expired"]
