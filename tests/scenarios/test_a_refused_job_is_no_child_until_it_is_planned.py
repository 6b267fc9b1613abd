import json
from collections.abc import Sequence
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.service.assembly import assemble

Said = dict[str, Any]


def _plan(job: str, **terms: Any) -> Said:
    return {"event": "planned", "type": "T", "job": job, **terms}


def _refuse(job: str, **plan: Any) -> Said:
    return {"event": "refused", "job": job, "plan": {"type": "T", **plan}, "blockers": [{"job": "other"}]}


CASES = {
    "its old parent closes without it": (
        [_plan("p", end_action="auto"), _plan("c", parent="p"), _refuse("x", parent="p")],
        [_plan("x"), {"event": "succeeded", "job": "c"}, {"event": "succeeded", "job": "x"}],
        {"p": "succeeded", "x": "succeeded"},
    ),
    "its old parent does not answer for how it ended": (
        [_plan("p", end_action="auto"), _plan("c", parent="p"), _refuse("x", parent="p")],
        [_plan("x"), {"event": "failed", "job": "x"}, {"event": "succeeded", "job": "c"}],
        {"p": "succeeded", "x": "failed"},
    ),
    "it is not cancelled with its old parent": (
        [_plan("p"), _plan("c", parent="p"), _refuse("x", parent="p")],
        [_plan("x"), {"event": "cancel_requested", "job": "p"}],
        {"p": "cancel_requested", "c": "cancel_requested", "x": ""},
    ),
    "nor is what was planned below it": (
        [_plan("p"), _refuse("x", parent="p")],
        [_plan("x"), _plan("y", parent="x"), {"event": "cancel_requested", "job": "p"}],
        {"p": "cancel_requested", "x": "", "y": ""},
    ),
    "it retries what was planned before it": (
        [_plan("p", end_action="auto"), _refuse("x", parent="p")],
        [
            _plan("y", parent="p"),
            _plan("x", parent="p", retry_of="y"),
            {"event": "failed", "job": "y"},
            {"event": "succeeded", "job": "x"},
        ],
        {"p": "succeeded", "y": "failed", "x": "succeeded"},
    ),
    "it is cancelled with the parent that it has": (
        [_plan("p"), _plan("q"), _refuse("x", parent="p")],
        [_plan("x", parent="q"), {"event": "cancel_requested", "job": "q"}],
        {"p": "", "q": "cancel_requested", "x": "cancel_requested"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refused_job_is_no_child_until_it_is_planned(case: str, ledger: Ledger, second: str) -> None:
    """Whether it is planned anew in an append of its own, or in one with what happens next."""
    before, after, expected = CASES[case]
    _record(ledger, before)
    _record(ledger, after)
    with assemble(second) as one_by_one:
        for said in [*before, *after]:
            _record(one_by_one, [said])
        assert _ended(one_by_one, expected) == expected
    assert _ended(ledger, expected) == expected


def _record(ledger: Ledger, records: Sequence[Said]) -> None:
    summary = ledger.import_records(json.dumps({"at": "2026-01-01T00:00:00Z", **said}).encode() for said in records)
    assert summary.rejected == 0


def _ended(ledger: Ledger, jobs: Sequence[str] | Said) -> Said:
    found = {name: ledger.job(name) for name in jobs}
    return {name: job.outcome or ", ".join(job.flags) for name, job in found.items()}
