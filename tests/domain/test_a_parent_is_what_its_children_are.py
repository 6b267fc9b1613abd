"""Rules 4 and 5: the quorum, and the three ways in which a parent closes."""

import pytest

from ledger.domain.quorum import Child, Family, QuorumValue, parent_value
from ledger.domain.states import Outcome
from ledger.errors import (
    AlreadyClaimed,
    ChildrenNotSucceeded,
    IllegalTransition,
    JobNotFound,
    MalformedRecord,
    ParentClosed,
    StaleEpoch,
)
from tests.domain.memory import Memory, names, parts

O = Outcome  # noqa: E741 - a table reads better so


@pytest.mark.parametrize(
    ("children", "cancelling", "value"),
    [
        ([], False, QuorumValue.SUCCEEDED),
        ([Child("a", O.SUCCEEDED), Child("b", None)], False, QuorumValue.UNDECIDED),
        ([Child("a", O.FAILED), Child("b", None)], False, QuorumValue.FAILED),
        ([Child("a", O.UNKNOWN), Child("b", O.SUCCEEDED)], False, QuorumValue.UNKNOWN),
        ([Child("a", O.UNKNOWN), Child("b", O.FAILED)], False, QuorumValue.FAILED),
        ([Child("a", O.UNKNOWN), Child("b", None)], False, QuorumValue.UNDECIDED),
        ([Child("a", O.FAILED), Child("b", O.SUCCEEDED, retry_of="a")], False, QuorumValue.SUCCEEDED),
        ([Child("a", O.FAILED), Child("b", None, retry_of="a")], False, QuorumValue.UNDECIDED),
        ([Child("a", O.SUCCEEDED), Child("b", O.FAILED, retry_of="a")], False, QuorumValue.SUCCEEDED),
        ([Child("a", O.FAILED), Child("b", O.UNKNOWN, retry_of="a")], False, QuorumValue.UNKNOWN),
        ([Child("a", None), Child("b", O.SUCCEEDED, retry_of="a")], False, QuorumValue.SUCCEEDED),
        ([Child("a", O.FAILED), Child("b", O.FAILED, retry_of="a"), Child("c", O.SUCCEEDED, retry_of="b")], False,
         QuorumValue.SUCCEEDED),
        ([Child("a", O.FAILED, required=False), Child("b", O.FAILED, retry_of="a")], False, QuorumValue.SUCCEEDED),
        ([Child("a", O.REFUSED), Child("b", O.SUCCEEDED)], False, QuorumValue.SUCCEEDED),
        ([Child("a", O.CANCELLED), Child("b", O.ABANDONED)], True, QuorumValue.CANCELLED),
        ([Child("a", O.CANCELLED), Child("b", O.FAILED)], True, QuorumValue.FAILED),
        ([Child("a", O.CANCELLED)], False, QuorumValue.FAILED),
        ([Child("a", O.FAILED), Child("b", O.CANCELLED, retry_of="a")], True, QuorumValue.CANCELLED),
    ],
)  # fmt: skip
def test_the_value_of_the_required_chains(children: list[Child], cancelling: bool, value: QuorumValue) -> None:
    assert parent_value(Family(children), cancelling=cancelling) is value


def test_success_before_or_against_the_children_is_refused() -> None:
    memory = Memory()
    memory.plan("p", children=parts("p/1", "p/2", "p/3"))
    memory.tell("p/1", "succeeded")
    memory.tell("p/2", "failed")

    with pytest.raises(ChildrenNotSucceeded) as refused:
        memory.tell("p", "succeeded")
    assert refused.value.facts["children"] == ["p/2", "p/3"]
    memory.tell("p", "failed")
    assert not memory.jobs["p/3"].closed


def test_a_report_that_a_lost_parent_succeeded_is_held_against_its_children() -> None:
    memory = Memory()
    memory.plan("p", children=parts("p/1"))
    memory.tell("p", "lost")

    for event, body in (("succeeded", {}), ("resolved", {"outcome": "succeeded"})):
        with pytest.raises(ChildrenNotSucceeded):
            memory.tell("p", event, **body)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [("succeeded", "succeeded"), ("failed", "failed"), ("lost", "unknown"), ("cancelled", "failed")],
)
def test_an_auto_parent_closes_with_its_last_child_all_the_way_up(event: str, outcome: str) -> None:
    memory = Memory()
    inner = {"job": "p/a", "type": "Part", "end_action": "auto", "children": parts("p/a/1", "p/a/2")}
    memory.plan("p", end_action="auto", children=[inner])
    memory.tell("p/a/1", "succeeded")

    assert names(memory.tell("p/a/2", event))[1:] == [
        f"{job} {'lost' if outcome == 'unknown' else outcome}" for job in ("p/a", "p")
    ]
    assert memory.jobs["p"].outcome == outcome


def test_an_auto_parent_without_a_child_waits() -> None:
    memory = Memory()
    memory.plan("p", end_action="auto")

    assert not memory.jobs["p"].closed


def test_a_parent_lost_through_its_children_is_resolved_with_them() -> None:
    memory = Memory()
    memory.plan("p", end_action="auto", children=parts("p/1", "p/2"))
    memory.tell("p/1", "lost")
    memory.tell("p/2", "succeeded")
    assert memory.jobs["p"].outcome == "unknown"

    assert names(memory.tell("p/1", "succeeded")) == ["p/1 resolved", "p resolved"]
    assert memory.jobs["p"].outcome == "succeeded"


def test_a_cancelled_tree_ends_cancelled() -> None:
    memory = Memory()
    memory.plan("p", end_action="auto", children=parts("p/1", "p/2"))
    memory.tell("p", "cancel_requested")
    memory.tell("p/1", "abandoned")
    memory.tell("p/2", "cancelled")

    assert memory.jobs["p"].outcome == "cancelled"


def test_an_end_action_is_claimed_once_and_taken_over_only_when_fenced() -> None:
    memory = Memory()
    memory.plan("p", end_action="owner", children=parts("p/1"))
    for owner in ("o", "q"):
        memory.tell("", "owner_started", owner=owner, epoch=1)
    with pytest.raises(IllegalTransition):
        memory.tell("p", "closing", owner="o", epoch=1)
    memory.tell("p/1", "succeeded")
    with pytest.raises(IllegalTransition, match="claimed"):
        memory.tell("p", "succeeded")
    memory.tell("p", "closing", owner="o", epoch=1)

    with pytest.raises(AlreadyClaimed):
        memory.tell("p", "closing", owner="q", epoch=1)
    with pytest.raises(ParentClosed):
        memory.plan("p/2", parent="p")
    memory.tell("", "owner_fenced", owner="o", epoch=1)
    memory.tell("p", "closing", owner="q", epoch=1)
    with pytest.raises(StaleEpoch):
        memory.tell("p", "closing", owner="o", epoch=1, id="again", raw="x")
    memory.tell("p", "succeeded", owner="q", epoch=1)
    assert memory.jobs["p"].outcome == "succeeded"


def test_a_retry_names_a_job_under_the_same_parent() -> None:
    memory = Memory()
    memory.plan("p", children=parts("p/1"))
    memory.plan("q", children=parts("q/1"))
    memory.tell("p/1", "started")

    memory.plan("p/2", parent="p", retry_of="p/1")
    for other in ("q/1", "p"):
        with pytest.raises(MalformedRecord):
            memory.plan(f"p/of-{other}", parent="p", retry_of=other)
    with pytest.raises(JobNotFound):
        memory.plan("p/3", parent="p", retry_of="never")
    with pytest.raises(JobNotFound):
        memory.plan("x", parent="never")


def test_a_parent_lost_through_its_children_waits_for_its_report_where_it_is_not_auto() -> None:
    memory = Memory()
    memory.plan("p", children=parts("p/1", "p/2"))
    for child in ("p/1", "p/2"):
        memory.tell(child, "lost")
    memory.tell("p", "lost", evidence={"children": ["p/1", "p/2"]})

    assert names(memory.tell("p/1", "succeeded")) == ["p/1 resolved"]
    assert names(memory.tell("p/2", "succeeded")) == ["p/2 resolved"]
    assert names(memory.tell("p", "succeeded")) == ["p resolved"]


def test_a_parent_lost_through_its_children_fails_with_them_whatever_its_end_action() -> None:
    memory = Memory()
    inner = {"job": "p/a", "type": "Part", "end_action": "auto", "children": parts("p/a/1", "p/a/2")}
    memory.plan("p", children=[inner])
    for child in ("p/a/1", "p/a/2"):
        memory.tell(child, "lost")
    memory.tell("p", "lost", evidence={"children": ["p/a"]})

    assert names(memory.tell("p/a/1", "failed")) == ["p/a/1 resolved", "p/a resolved", "p resolved"]
    assert {memory.jobs[job].outcome for job in ("p", "p/a", "p/a/1")} == {"failed"}


def test_a_parent_lost_by_itself_stays_lost() -> None:
    memory = Memory()
    memory.plan("p", end_action="auto", children=parts("p/1"))
    memory.tell("p", "lost", evidence={"asked": 3})

    assert names(memory.tell("p/1", "failed")) == ["p/1 failed"]
    assert memory.jobs["p"].outcome == "unknown"
