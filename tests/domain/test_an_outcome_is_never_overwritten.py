"""Rules 2 and 3: unknown may be resolved, anything else may only be disputed."""

import pytest

from ledger.errors import IllegalTransition, MalformedRecord
from tests.domain.memory import LATE, UNCHANGED, Memory, names


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    memory.plan("a")
    memory.tell("a", "started")
    return memory


def test_a_report_resolves_what_nobody_could_say(memory: Memory) -> None:
    memory.tell("a", "lost", evidence={"asked": 3})
    assert memory.jobs["a"].active

    found = memory.tell("a", "succeeded", result={"bytes": 7}, raw="DONE")

    assert names(found) == ["a resolved"]
    assert memory.jobs["a"].outcome == "succeeded"
    assert not memory.jobs["a"].active
    assert memory.tell("a", "succeeded", result={"bytes": 7}, raw="DONE").disposition is UNCHANGED
    assert memory.tell("a", "failed").disposition is LATE


def test_evidence_resolves_it_too(memory: Memory) -> None:
    memory.tell("a", "lost")

    memory.tell("a", "resolved", outcome="abandoned", evidence={"log": "never came"})

    assert memory.jobs["a"].outcome == "abandoned"
    with pytest.raises(IllegalTransition, match="disputed"):
        memory.tell("a", "resolved", outcome="failed")


@pytest.mark.parametrize("outcome", ["unknown", "refused"])
def test_a_resolution_says_something(memory: Memory, outcome: str) -> None:
    memory.tell("a", "lost")

    with pytest.raises(MalformedRecord):
        memory.tell("a", "resolved", outcome=outcome)


def test_any_other_outcome_may_only_be_disputed(memory: Memory) -> None:
    memory.tell("a", "succeeded")

    assert names(memory.tell("a", "disputed", outcome="failed", evidence={"disk": "there"})) == ["a disputed"]
    assert memory.jobs["a"].outcome == "succeeded"


def test_unknown_is_resolved_not_disputed(memory: Memory) -> None:
    memory.tell("a", "lost")

    with pytest.raises(IllegalTransition, match="resolved"):
        memory.tell("a", "disputed")


def test_only_what_was_never_begun_is_abandoned(memory: Memory) -> None:
    with pytest.raises(IllegalTransition):
        memory.tell("a", "abandoned")
    memory.plan("b")
    memory.tell("b", "submitted", executor="e", token="t")
    memory.tell("b", "abandoned")
    assert memory.jobs["b"].outcome == "abandoned"
