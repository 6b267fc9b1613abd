import pytest

from ledger.domain.decisions import refuse
from ledger.errors import IllegalTransition, ParentClosed
from tests.domain.memory import LATE, NOW, RECORDED, UNCHANGED, Memory, names, parts, said

BLOCKERS = [{"job": "other", "entity": {"type": "vm", "id": "v"}, "access": "exclusive", "since": "x", "owner": None}]


def _refuse(memory: Memory, children: int = 2) -> str:
    asked = said("a", "planned", type="T", children=parts(*(f"a/{n}" for n in range(children))), actor="alice")
    decision = refuse(asked, NOW, memory, BLOCKERS)
    for event in decision.events:
        memory.take(event)
    return str(decision.disposition)


def test_the_refusal_holds_the_whole_plan_and_no_child_is_planned() -> None:
    memory = Memory()

    _refuse(memory)

    assert [event.name for event in memory.events] == ["refused"]
    plan = memory.events[0].fact.plan  # type: ignore[attr-defined]
    assert [child["job"] for child in plan["children"]] == ["a/0", "a/1"]
    assert (memory.jobs["a"].outcome, memory.jobs["a"].active) == ("refused", False)


def test_the_same_refusal_again_is_unchanged() -> None:
    memory = Memory()

    assert [_refuse(memory), _refuse(memory), _refuse(memory, children=1)] == [RECORDED, UNCHANGED, RECORDED]


def test_it_may_be_planned_again_and_that_is_the_only_way_back() -> None:
    memory = Memory()
    _refuse(memory)

    assert memory.tell("a", "started").disposition is LATE
    with pytest.raises(ParentClosed):
        memory.plan("child", parent="a")
    assert names(memory.plan("a", children=parts("a/0"))) == ["a planned", "a/0 planned"]
    assert memory.jobs["a"].phase == "planned"
    memory.plan("child", parent="a")
    with pytest.raises(IllegalTransition):
        memory.tell("a", "refused", plan={"type": "T"}, blockers=[])


def test_an_import_takes_a_refusal_as_it_was() -> None:
    memory = Memory()

    memory.tell("a", "refused", plan={"type": "T"}, blockers=BLOCKERS)
    memory.tell("a", "refused", plan={"type": "T"}, blockers=[])
    assert memory.jobs["a"].refused
    assert memory.jobs["a"].version == 2


def test_who_asked_and_for_whom_makes_it_no_other_refusal() -> None:
    memory = Memory()
    asked = said("a", "planned", type="T", children=parts("a/1", actor="x"), actor="alice", owner="o", epoch=1)
    again = said("a", "planned", type="T", children=parts("a/1"), actor="bob", owner="o", epoch=2)
    for event in refuse(asked, NOW, memory, BLOCKERS).events:
        memory.take(event)

    assert refuse(again, NOW, memory, BLOCKERS).disposition is UNCHANGED
    assert refuse(again, NOW, memory, []).disposition is RECORDED
