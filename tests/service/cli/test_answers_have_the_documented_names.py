import json

from ledger.application import Ledger
from tests.service.cli.conftest import Run, on, plan

JOB_NAMES = {
    "job", "type", "parent", "root", "phase", "outcome", "done", "ok", "flags", "entities", "executor", "external_id",
    "progress", "planned_at", "started_at", "closed_at", "elapsed_seconds", "estimated_end", "deadline", "error",
    "result", "warnings", "actor", "reason", "owner", "epoch", "version", "position",
}  # fmt: skip


def test_a_job_has_the_documented_names(run: Run, ledger: Ledger) -> None:
    ledger.record(plan("a", entities=[on("disk/d-17")]))
    ledger.record({"job": "a", "event": "progressed", "done": 3, "total": 12, "unit": "GiB"})

    job = json.loads(run("show", "a", "-o", "json").out)

    assert job.keys() >= JOB_NAMES
    assert job["progress"] == {"percent": 25.0, "done": 3, "total": 12, "unit": "GiB", "message": None}
    assert job["entities"] == [{"type": "disk", "id": "d-17", "role": "target", "access": "exclusive"}]
    assert (job["phase"], job["done"], job["ok"], job["position"]) == ("running", False, None, 2)


def test_busy_has_the_documented_names(run: Run, ledger: Ledger) -> None:
    ledger.record(plan("old", entities=[on("disk/d-17", "shared")]))
    ledger.record(plan("new", entities=[on("disk/d-17", "shared")]))

    answer = json.loads(run("busy", "disk/d-17", "-o", "json").out)

    assert set(answer) == {"entity", "busy", "count", "jobs", "position"}
    assert answer["entity"] == {"type": "disk", "id": "d-17"}
    assert (answer["busy"], answer["count"], answer["position"]) == (True, 2, 2)
    assert [job["job"] for job in answer["jobs"]] == ["old", "new"]


def test_a_recorded_transition_is_answered_with_its_place(run: Run) -> None:
    first = run("record", json.dumps(plan("a")))
    again = run("record", "-", stdin=json.dumps(plan("a")))

    cursor = json.loads(first.out)["cursor"]
    place = {"job": "a", "version": 1, "position": 1, "cursor": cursor}
    assert cursor.startswith("1:")
    assert json.loads(first.out) == {"disposition": "recorded", **place}
    assert json.loads(again.out) == {"disposition": "unchanged", **place}
