"""Idempotence by content, in the order in which it is judged."""

import pytest

from ledger.errors import Contradiction, IllegalTransition, StaleEpoch
from tests.domain.memory import LATE, RECORDED, UNCHANGED, Memory, names, parts

T1, T2 = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    memory.plan("a", id="plan-a", children=parts("a/1", "a/2"), actor="alice")
    return memory


def test_the_same_id_with_other_content_is_a_contradiction(memory: Memory) -> None:
    memory.tell("a", "progressed", id="p1", percent=5, at=T1)

    assert memory.tell("a", "progressed", id="p1", percent=5, at=T1).disposition is UNCHANGED
    assert memory.tell("a", "progressed", id="p1", percent=5).disposition is UNCHANGED
    for other in ({"percent": 6}, {"percent": 5, "at": T2}, {"percent": 5, "raw": "X"}):
        with pytest.raises(Contradiction, match="p1"):
            memory.tell("a", "progressed", **({"id": "p1", "at": T1} | other))
    with pytest.raises(Contradiction, match="plan-a"):
        memory.plan("a", id="plan-a")


def test_who_and_why_are_no_content(memory: Memory) -> None:
    memory.tell("a", "started", actor="alice", reason="now")
    again = memory.tell("a", "started", actor="bob", reason="later", traceparent="x", at=T2, owner="o", epoch=1)

    assert (again.disposition, again.version) == (UNCHANGED, 2)


def test_time_counts_where_it_is_part_of_what_is_said(memory: Memory) -> None:
    assert memory.tell("a", "progressed", percent=5, at=T1).disposition is RECORDED
    assert memory.tell("a", "progressed", percent=5, at=T2).disposition is RECORDED
    assert memory.tell("a", "progressed", percent=5, at=T1).version == 2


def test_the_order_of_keys_is_no_content(memory: Memory) -> None:
    memory.tell("a/1", "failed", error={"code": "E", "message": "m"}, result={"x": 1, "y": [2]})
    again = memory.tell("a/1", "failed", result={"y": [2], "x": 1}, error={"message": "m", "code": "E"})

    assert again.disposition is UNCHANGED


def test_a_plan_again_is_unchanged_and_another_plan_a_contradiction(memory: Memory) -> None:
    assert memory.plan("a", children=parts("a/1", "a/2")).disposition is UNCHANGED
    for other in (parts("a/1"), parts("a/1", "a/3"), parts("a/1", "a/2", required=False)):
        with pytest.raises(Contradiction):
            memory.plan("a", children=other)
    with pytest.raises(Contradiction):
        memory.plan("a", type="Other", children=parts("a/1", "a/2"))


def test_a_child_told_by_itself_is_the_child_told_with_its_parent(memory: Memory) -> None:
    assert memory.tell("a/1", "planned", type="Part", parent="a").disposition is UNCHANGED


def test_a_report_about_a_closed_job_is_late_once(memory: Memory) -> None:
    memory.tell("a/1", "failed")

    late = memory.tell("a/1", "succeeded")
    assert (late.disposition, names(late)) == (LATE, ["a/1 late"])
    assert memory.tell("a/1", "succeeded").disposition is UNCHANGED
    assert memory.tell("a/1", "failed").version == 2
    assert memory.jobs["a/1"].outcome == "failed"


def test_a_late_report_is_applied_when_it_can_be(memory: Memory) -> None:
    memory.tell("x", "owner_started", owner="o", epoch=1)
    memory.tell("x", "owner_started", owner="o", epoch=2)
    kept = memory.tell("a/1", "started", owner="o", epoch=1)
    assert isinstance(kept.error, StaleEpoch)

    assert memory.tell("a/1", "started", owner="o", epoch=2).disposition is RECORDED
    assert memory.jobs["a/1"].phase == "running"


def test_another_name_is_a_contradiction(memory: Memory) -> None:
    memory.tell("a/1", "submitted", executor="e", token="t1")
    memory.tell("a/1", "accepted", external_id="x1")

    for event, body in (
        ("submitted", {"executor": "e", "token": "t2"}),
        ("accepted", {"external_id": "x2"}),
        ("started", {"executor": "f"}),
    ):
        with pytest.raises(Contradiction):
            memory.tell("a/1", event, **body)


def test_a_name_stays_bound_when_a_later_report_leaves_it_out(memory: Memory) -> None:
    memory.tell("a/1", "submitted", executor="e", token="t")
    memory.tell("a/1", "accepted", external_id="x1")
    memory.tell("a/1", "started")

    job = memory.jobs["a/1"]
    assert (job.executor, job.external_id, job.token) == ("e", "x1", "t")


def test_another_plan_is_a_contradiction_before_its_epoch_is_stale(memory: Memory) -> None:
    memory.tell("", "owner_started", owner="o", epoch=2)

    with pytest.raises(Contradiction):
        memory.plan("a", type="Other", owner="o", epoch=1)


def test_an_external_id_belongs_to_one_job_for_ever(memory: Memory) -> None:
    memory.tell("a/1", "started", executor="e", external_id="x1")
    memory.tell("a/1", "succeeded")

    with pytest.raises(Contradiction, match="a/1"):
        memory.tell("a/2", "started", executor="e", external_id="x1")
    assert memory.tell("a/2", "started", executor="f", external_id="x1").disposition is RECORDED


@pytest.mark.parametrize(
    ("event", "body"),
    [("suspended", {}), ("contact_lost", {}), ("hold_placed", {}), ("cancel_requested", {}), ("started", {})],
)
def test_what_is_so_already_is_unchanged(memory: Memory, event: str, body: dict[str, str]) -> None:
    memory.tell("a/1", "started", executor="e", external_id="x")
    memory.tell("a/1", event, at=T1, **body)

    assert memory.tell("a/1", event, at=T2, **body).disposition is UNCHANGED


def test_what_the_table_does_not_have_is_illegal(memory: Memory) -> None:
    memory.tell("a/1", "started")

    with pytest.raises(IllegalTransition, match=r"running.*submitted"):
        memory.tell("a/1", "submitted", executor="e", token="t")
