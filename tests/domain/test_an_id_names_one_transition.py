"""The first step of idempotence, and what an id means where its transition was kept in another form."""

import pytest

from ledger.domain.planning import refuse
from ledger.errors import Contradiction, StaleEpoch
from tests.domain.memory import LATE, NOW, RECORDED, UNCHANGED, Memory, said

BLOCKERS = [{"job": "other"}]


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    memory.plan("a")
    return memory


def test_a_late_report_again_under_its_id_is_unchanged(memory: Memory) -> None:
    memory.tell("a", "failed")
    assert memory.tell("a", "succeeded", id="s").disposition is LATE

    assert memory.tell("a", "succeeded", id="s").disposition is UNCHANGED
    with pytest.raises(Contradiction):
        memory.tell("a", "succeeded", id="s", result=1)


def test_a_fenced_report_again_under_its_id_is_stale_again_even_without_its_time(memory: Memory) -> None:
    memory.tell("", "owner_started", owner="o", epoch=2)
    memory.tell("a", "progressed", percent=5, owner="o", epoch=1, id="p", at="2026-01-01T00:00:00Z")

    again = memory.tell("a", "progressed", percent=5, owner="o", epoch=1, id="p")

    assert (again.disposition, again.events) == (UNCHANGED, ())
    assert isinstance(again.error, StaleEpoch)


def test_a_report_that_came_late_is_applied_under_its_id_when_it_can_be(memory: Memory) -> None:
    memory.tell("", "owner_started", owner="o", epoch=2)
    memory.tell("a", "started", owner="o", epoch=1, id="s")

    assert memory.tell("a", "started", owner="o", epoch=2, id="s").disposition is RECORDED
    assert memory.jobs["a"].phase == "running"


def test_a_report_that_resolved_again_under_its_id_is_unchanged(memory: Memory) -> None:
    memory.tell("a", "lost")
    memory.tell("a", "succeeded", id="s", result=7)

    assert memory.tell("a", "succeeded", id="s", result=7).disposition is UNCHANGED
    with pytest.raises(Contradiction):
        memory.tell("a", "failed", id="s")


def test_a_refused_plan_may_be_planned_again_under_its_id(memory: Memory) -> None:
    asked = said("b", "planned", type="T", id="plan-b", raw="R", owner="o", epoch=1)
    for event in refuse(asked, NOW, memory, BLOCKERS).events:
        memory.take(event)

    with pytest.raises(Contradiction):
        memory.plan("b", id="plan-b", type="Other", raw="R")
    assert refuse(asked, NOW, memory, BLOCKERS).disposition is UNCHANGED
    assert memory.hear(asked).disposition is RECORDED
    assert memory.hear(asked).disposition is UNCHANGED


def test_an_id_of_an_owner_names_one_epoch(memory: Memory) -> None:
    memory.tell("", "owner_started", owner="o", epoch=1, id="start")

    assert memory.tell("", "owner_started", owner="o", epoch=1, id="start").disposition is UNCHANGED
    with pytest.raises(Contradiction):
        memory.tell("", "owner_started", owner="o", epoch=2, id="start")


def test_what_follows_has_ids_that_no_caller_gives(memory: Memory) -> None:
    memory.plan("b", id="x", children=[{"job": "b/1", "type": "T"}])

    assert [event.id for event in memory.events[-2:]] == ["x", "~x/1"]
