from datetime import datetime, timedelta, timezone

import pytest

from ledger.domain.commands import Plan, parse_transition, print_transition
from ledger.domain.events import Planned
from ledger.errors import Contradiction, IllegalTransition, StaleEpoch, TreeTooDeep
from tests.domain.memory import RECORDED, UNCHANGED, Memory, parts, said


def test_children_inherit_who_and_why_unless_they_say_it_themselves() -> None:
    memory = Memory()
    below = [*parts("p/1"), *parts("p/2", actor="bob", reason="his own")]
    memory.plan("p", actor="alice", reason="upgrade", children=below)
    memory.plan("p/3", parent="p")
    memory.plan("p/4", parent="p", actor="carol")

    assert [(event.actor, event.reason) for event in memory.events] == [
        ("alice", "upgrade"),
        ("alice", "upgrade"),
        ("bob", "his own"),
        ("alice", "upgrade"),
        ("carol", "upgrade"),
    ]


def test_every_job_knows_its_place_in_the_tree() -> None:
    memory = Memory()
    memory.plan("p", children=[{"job": "p/a", "type": "T", "children": parts("p/a/1")}])

    facts = [event.fact for event in memory.events if isinstance(event.fact, Planned)]
    assert [(fact.parent, fact.root, fact.depth, fact.children) for fact in facts] == [
        (None, "p", 1, 1),
        ("p", "p", 2, 1),
        ("p/a", "p", 3, 0),
    ]


def test_its_own_word_is_kept_and_is_content() -> None:
    memory = Memory()
    memory.plan("a", raw="QUEUED_AT_PORTAL")

    assert memory.events[0].raw == "QUEUED_AT_PORTAL"
    assert memory.plan("a", raw="QUEUED_AT_PORTAL").disposition is UNCHANGED
    with pytest.raises(Contradiction):
        memory.plan("a")


def test_a_tree_in_one_plan_is_sixteen_deep_at_most() -> None:
    plan = {"job": "bottom", "type": "T"}
    for depth in range(15):
        plan = {"job": f"level-{depth}", "type": "T", "children": [plan]}  # type: ignore[dict-item]
    assert Memory().plan(**plan).disposition is RECORDED

    with pytest.raises(TreeTooDeep):
        Memory().plan("top", children=[plan])


def test_its_times_are_told_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    plan = said("a", "planned", type="T", deadline="2026-01-02T05:00:00+02:00")
    memory = Memory()
    memory.hear(plan._replace(at=datetime(2026, 1, 2, 5, tzinfo=east)))

    printed = print_transition(memory.events[0])
    assert printed["at"] == "2026-01-02T03:00:00Z"
    assert printed["deadline"] == "2026-01-02T03:00:00Z"


def test_a_refusal_by_a_fenced_epoch_records_nothing() -> None:
    memory = Memory()
    memory.tell("", "owner_started", owner="o", epoch=2)
    refusal = {"plan": {"type": "T"}, "blockers": [], "owner": "o", "epoch": 1}

    with pytest.raises(StaleEpoch):
        memory.tell("a", "refused", **refusal)
    memory.plan("a")
    with pytest.raises(StaleEpoch):
        memory.tell("a", "refused", **refusal)
    with pytest.raises(IllegalTransition):
        memory.tell("a", "refused", plan={"type": "T"}, blockers=[])


def test_a_job_that_nobody_named_gets_a_name() -> None:
    record = {"event": "planned", "type": "T", "children": [{"type": "T"}, {"type": "T", "job": "mine"}]}
    fresh = iter(["first", "second"])

    fact = parse_transition(record, lambda: next(fresh)).fact

    assert isinstance(fact, Plan)
    assert [part.job for part in fact.parts] == ["first", "second", "mine"]
