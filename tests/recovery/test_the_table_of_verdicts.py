"""Every row of the table: what the ledger says, what the executor says, and the verdict."""

from collections.abc import Sequence
from typing import Any

import pytest

from ledger.asking.answers import Standing
from ledger.domain.states import EndAction, Outcome, Phase
from ledger.executors.protocol import Task
from ledger.recovery.verdicts import Known, LateReport, judge_leaf

JOB: dict[str, Any] = {
    "job": "j", "type": "T", "parent": None, "depth": 1, "end_action": EndAction.NONE, "cancel_requested": False,
    "contact_lost": False, "disputed": False, "executor": "e", "external_id": "x", "token": "t", "owner": None,
    "epoch": None, "version": 3, "outcome": None, "planned_position": 1,
}  # fmt: skip
PLANNED = {"phase": Phase.PLANNED, "executor": None, "external_id": None, "token": None}
SUBMITTED = {"phase": Phase.SUBMITTED, "external_id": None}
WORKING = [{"phase": phase} for phase in (Phase.QUEUED, Phase.RUNNING, Phase.SUSPENDED)]
UNKNOWN = {"phase": Phase.CLOSED, "outcome": Outcome.UNKNOWN}
SUCCEEDED = {"phase": Phase.CLOSED, "outcome": Outcome.SUCCEEDED}
ABANDONED = {"phase": Phase.CLOSED, "outcome": Outcome.ABANDONED, "external_id": None}


def task(state: str, **fields: Any) -> Task:
    return Task.model_validate({"executor": "e", "external_id": "x", "token": "t", "state": state} | fields)


def told(state: str) -> Known:
    return Known(tasks=[task(state)], asked=True)


LATE = LateReport("succeeded", None, {"result": 7}, 12)
ABSENT, NOTHING, AWAY = Known(asked=True), Known(), Known(reachable=False)
COMPLETE, LATE_ALONE = Known(asked=True, complete=True), Known(lates=[LATE])
TWO_ENDS = Known(tasks=[task("succeeded"), task("failed")], contradicts=True, asked=True)
TWO_LATES = Known(lates=[LATE, LateReport("failed", None, {}, 13)])
SENT_LATE = Known(lates=[LateReport("started", "x", {}, 12)])
STRAY = [task("running", external_id="stray", token=None)]

Row = tuple[dict[str, Any], Known, Sequence[Task], str | None, list[str]]
ROWS: list[Row] = [
    (PLANNED, NOTHING, [], "abandoned", ["abandoned"]),
    (PLANNED, NOTHING, STRAY, "unknown", ["lost"]),
    (PLANNED, LATE_ALONE, [], "succeeded", ["succeeded"]),
    (PLANNED, SENT_LATE, [], "unknown", ["lost"]),
    (SUBMITTED, told("queued"), [], "accepted", ["accepted"]),
    (SUBMITTED, Known(tasks=[task("queued", external_id=None)], asked=True), [], "stays", []),
    (SUBMITTED, TWO_LATES, [], "unknown", ["lost"]),
    (PLANNED, TWO_LATES, [], "unknown", ["lost"]),
    (SUBMITTED, told("running"), [], "accepted", ["accepted", "started"]),
    (SUBMITTED, told("suspended"), [], "accepted", ["accepted", "suspended"]),
    (SUBMITTED, told("failed"), [], "failed", ["accepted", "failed"]),
    (SUBMITTED, COMPLETE, [], "abandoned", ["abandoned"]),
    (SUBMITTED, ABSENT, [], "unknown", ["lost"]),
    (SUBMITTED, NOTHING, [], "unknown", ["lost"]),
    (SUBMITTED, COMPLETE, STRAY, "abandoned", ["abandoned"]),
    (SUBMITTED, SENT_LATE, [], "unknown", ["lost"]),
    (SUBMITTED, LATE_ALONE, [], "succeeded", ["succeeded"]),
    (SUBMITTED, AWAY, [], "contact_lost", ["contact_lost"]),
    *((working, told("running"), STRAY, "stays", []) for working in WORKING),
    *((working, told("succeeded"), [], "succeeded", ["succeeded"]) for working in WORKING),
    *((working, told("cancelled"), [], "cancelled", ["cancelled"]) for working in WORKING),
    *((working, ABSENT, [], "unknown", ["lost"]) for working in WORKING),
    *((working, COMPLETE, [], "unknown", ["lost"]) for working in WORKING),
    *((working, NOTHING, [], "unknown", ["lost"]) for working in WORKING),
    *((working, LATE_ALONE, [], "succeeded", ["succeeded"]) for working in WORKING),
    *((working, AWAY, [], "contact_lost", ["contact_lost"]) for working in WORKING),
    *((working, TWO_ENDS, [], "unknown", ["lost"]) for working in WORKING),
    *((working, TWO_LATES, [], "unknown", ["lost"]) for working in WORKING),
    *((working | {"contact_lost": True}, AWAY, [], "contact_lost", []) for working in WORKING),
    *((working | {"contact_lost": True}, told("running"), [], "stays", ["contact_regained"]) for working in WORKING),
    *((working | {"external_id": None}, told("failed"), [], "failed", ["accepted", "failed"]) for working in WORKING),
    (UNKNOWN, told("failed"), [], "resolved", ["resolved"]),
    (UNKNOWN, told("running"), [], None, []),
    (UNKNOWN, LATE_ALONE, [], "resolved", ["resolved"]),
    (UNKNOWN, NOTHING, STRAY, None, []),
    (UNKNOWN, TWO_ENDS, [], None, []),
    (SUCCEEDED, told("running"), [], "disputed", ["disputed"]),
    (SUCCEEDED, told("failed"), [], None, []),
    (SUCCEEDED, ABSENT, [], None, []),
    (SUCCEEDED | {"disputed": True}, told("running"), [], None, []),
    (ABANDONED, told("succeeded"), [], "disputed", ["disputed"]),
]


@pytest.mark.parametrize(("job", "known", "unmatched", "word", "events"), ROWS)
def test_the_table_of_verdicts(
    job: dict[str, Any], known: Known, unmatched: Sequence[Task], word: str | None, events: list[str]
) -> None:
    verdict = judge_leaf(Standing(**JOB | job), known, unmatched)

    assert (verdict.word if verdict else None) == word
    assert [record["event"] for record in verdict.records] == events if verdict else events == []


def test_absence_is_never_an_outcome() -> None:
    """Whatever is open, nothing that is merely not there makes it succeeded, failed or cancelled."""
    for phase in (Phase.PLANNED, Phase.SUBMITTED, Phase.QUEUED, Phase.RUNNING, Phase.SUSPENDED, Phase.CLOSING):
        for known in (NOTHING, ABSENT, COMPLETE, AWAY):
            verdict = judge_leaf(Standing(**JOB | {"phase": phase}), known, [])

            assert verdict is not None
            assert verdict.word in ("abandoned", "unknown", "contact_lost")
            assert verdict.word != "abandoned" or phase in (Phase.PLANNED, Phase.SUBMITTED)


def test_a_verdict_carries_its_evidence() -> None:
    verdict = judge_leaf(Standing(**JOB | WORKING[1]), Known(tasks=[task("failed", raw="ERR", error="no space")]), [])

    assert verdict is not None
    assert verdict.evidence == {"task": {"executor": "e", "external_id": "x", "token": "t", "state": "failed"}}
    (record,) = verdict.records
    assert (record["raw"], record["error"]) == ("ERR", {"message": "no space"})
