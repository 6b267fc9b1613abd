import json
from typing import Any

from ledger.application import Ledger
from ledger.asking.answers import JobFilter

AT = "2020-02-02T10:00:0{}Z"
RECORDS: list[dict[str, Any]] = [
    {"job": "vm", "event": "planned", "at": AT.format(0), "type": "Build", "actor": "ann",
     "entities": [{"type": "vm", "id": "1"}],
     "children": [{"job": "vm/claim", "type": "Claim"}, {"job": "vm/spawn", "type": "Spawn"}]},
    {"job": "vm/claim", "event": "started", "at": AT.format(1), "executor": "host", "external_id": "r-1"},
    {"job": "vm/claim", "event": "succeeded", "at": AT.format(2), "result": {"seconds": 0.04}},
    {"job": "vm/spawn", "event": "progressed", "at": AT.format(3), "percent": 30},
    {"job": "vm/spawn", "event": "failed", "at": AT.format(4), "error": {"code": "E", "message": "no"}},
    {"job": "vm", "event": "failed", "at": AT.format(5)},
    {"job": "vm", "event": "succeeded", "at": AT.format(6)},
    {"job": "ghost", "event": "started", "at": AT.format(7)},
]  # fmt: skip
LINES = [json.dumps(record).encode() for record in RECORDS]


def test_import_twice_records_nothing_new(ledger: Ledger) -> None:
    """The second time each line is what it was: on record, late, or rejected; the views do not move."""
    first = ledger.import_records(LINES)
    assert first.as_json() == {
        "read": 8, "recorded": 8, "unchanged": 0, "late": 1, "rejected": 1, "overlaps": 0, "position": 9,
    }  # fmt: skip
    before = [_lasting(ledger, job) for job in ("vm", "vm/claim", "vm/spawn")]
    second = ledger.import_records(LINES)
    assert (second.recorded, second.late, second.unchanged, second.rejected, second.position) == (0, 0, 7, 1, 9)
    assert [_lasting(ledger, job) for job in ("vm", "vm/claim", "vm/spawn")] == before
    assert ledger.import_records(reversed(LINES[:7])).recorded == 0
    assert [view.job for view in ledger.jobs(JobFilter(outcome="succeeded"))] == ["vm/claim"]


def _lasting(ledger: Ledger, job: str) -> dict[str, Any]:
    return ledger.job(job).as_json()
