"""Every phase with every event: the phase that the table gives, or an error that names both."""

from typing import Any

import pytest

from ledger.domain.events import JOB_FACTS
from ledger.domain.states import TRANSITIONS, Phase
from ledger.errors import IllegalTransition
from tests.domain.memory import LATE, UNCHANGED, Memory, parts

Fields = dict[str, Any]
BODIES: dict[str, Fields] = {
    "refused": {"plan": {"type": "T"}, "blockers": []},
    "submitted": {"executor": "e", "token": "t"},
    "accepted": {"executor": "e", "external_id": "x"},
    "progressed": {"percent": 1},
    "attached": {"entities": [{"type": "vm", "id": "new"}]},
    "detached": {"entities": [{"type": "vm", "id": "held"}]},
    "closing": {"owner": "o", "epoch": 1},
    "adopted": {"owner": "p", "epoch": 1},
    "resolved": {"outcome": "failed"},
    "late": {"report": {"event": "started"}, "because": "closed"},
    "expired": {"policy": "default", "cause": "keep_for"},
}
WAYS: dict[Phase, list[tuple[str, Fields]]] = {
    Phase.PLANNED: [],
    Phase.SUBMITTED: [("submitted", {"executor": "e", "token": "t"})],
    Phase.QUEUED: [("accepted", {"executor": "e", "external_id": "x"})],
    Phase.RUNNING: [("started", {})],
    Phase.SUSPENDED: [("suspended", {"at": "2026-01-01T00:00:00Z"})],
    Phase.CLOSING: [("closing", {"owner": "q", "epoch": 1}), ("owner_fenced", {"owner": "q", "epoch": 1})],
    Phase.CLOSED: [("failed", {"result": 1})],
}
OPEN = [phase for phase in Phase if phase is not Phase.CLOSED]
SO_ALREADY = {
    *((phase, "contact_regained") for phase in OPEN),
    *((phase, "hold_lifted") for phase in Phase),
    (Phase.SUBMITTED, "submitted"),
    (Phase.QUEUED, "accepted"),
    (Phase.RUNNING, "started"),
    (Phase.SUSPENDED, "started"),
    (Phase.CLOSING, "started"),
    (Phase.RUNNING, "resumed"),
    (Phase.SUSPENDED, "suspended"),
}
AFTER_CLOSING = {"disputed", "late", "hold_placed", "hold_lifted", "expired", "resolved", "refused"}
NEVER_AFTER_FAILED = {"resolved", "refused"}  # one needs `unknown`, the other a job that is not planned


def _at(phase: Phase) -> Memory:
    memory = Memory()
    memory.tell("", "owner_started", owner="q", epoch=1)
    children = parts("p/1", required=False) if phase is Phase.CLOSING else []
    memory.plan("p", end_action="owner", children=children, entities=[{"type": "vm", "id": "held"}])
    for child in children:
        memory.tell(child["job"], "failed")
    for word, fields in WAYS[phase]:
        memory.tell("p", word, **fields)
    assert memory.jobs["p"].phase is phase
    return memory


def _expected(phase: Phase, word: str) -> object:
    if (phase, word) in SO_ALREADY:
        return UNCHANGED
    if phase is Phase.CLOSED and word not in AFTER_CLOSING:
        return LATE
    if phase is Phase.CLOSED and word in NEVER_AFTER_FAILED:
        return IllegalTransition
    if word == "closing" and phase is not Phase.CLOSING:
        return IllegalTransition  # no children yet
    return TRANSITIONS[word].get(phase, IllegalTransition)


@pytest.mark.parametrize("word", sorted(TRANSITIONS.keys() - {"planned"}))
@pytest.mark.parametrize("phase", Phase)
def test_the_table_decides_what_may_follow_what(phase: Phase, word: str) -> None:
    memory = _at(phase)
    expected = _expected(phase, word)

    if expected is IllegalTransition:
        with pytest.raises(IllegalTransition) as refused:
            memory.tell("p", word, **BODIES.get(word, {}))
        assert (refused.value.facts["phase"], refused.value.facts["event"]) == (phase, word)
        assert phase in str(refused.value)
        assert word in str(refused.value)
        return
    answer = memory.tell("p", word, **BODIES.get(word, {}))
    if expected in (UNCHANGED, LATE):
        assert answer.disposition is expected
        assert memory.jobs["p"].phase is phase
    else:
        assert memory.jobs["p"].phase is expected


@pytest.mark.parametrize("phase", [phase for phase in OPEN if phase not in (Phase.PLANNED, Phase.CLOSING)])
def test_contact_is_regained_in_any_phase_and_leaves_it(phase: Phase) -> None:
    memory = _at(phase)
    memory.tell("p", "contact_lost")

    memory.tell("p", "contact_regained")

    assert (memory.jobs["p"].phase, memory.jobs["p"].contact_lost) == (phase, False)


def test_submitted_follows_planned_alone_and_only_suspended_goes_back() -> None:
    assert TRANSITIONS["submitted"] == {Phase.PLANNED: Phase.SUBMITTED}
    order = list(Phase)
    back = {
        (word, before)
        for word, steps in TRANSITIONS.items()
        for before, after in steps.items()
        if order.index(after) < order.index(before)
    }
    assert back == {
        ("resumed", Phase.SUSPENDED),
        ("progressed", Phase.SUSPENDED),
        ("planned", Phase.CLOSED),
    }


def test_every_fact_has_its_row() -> None:
    assert TRANSITIONS.keys() == {fact.name for fact in JOB_FACTS}
