import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.asking.answers import JobFilter, JobView
from ledger.domain.entities import EntityRef
from ledger.domain.retention import Retention
from ledger.errors import LedgerError
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.projections.histories import ENTITIES, History
from tests.projections.model import Model

RECORDED_ALL_THE_SAME = ("entity_busy", "stale_epoch")
POLICIES: tuple[dict[str, Any], ...] = (
    {"keep_for": 0.001, "keep_at_most": None, "dwell": 0},
    {"keep_for": 3_600, "keep_at_most": 3, "dwell": 0},
    {"keep_for": 3_600, "keep_at_most": 1, "dwell": 10},
)
TABLES = ("job_status", "running_jobs")


@pytest.mark.parametrize("seed", range(10))
def test_views_agree_with_the_model_at_every_position(ledger: Ledger, superuser: str, seed: int) -> None:
    """After each of 200 commands the views say what the model says, and built from zero they are the same rows."""
    model, history, choose = Model(), History(seed), random.Random(seed)
    with connect(superuser) as rows:
        for number in range(200):
            before = model.position
            error = _say(ledger, history, choose)
            model.take(ledger.events(before))
            assert error is None or error.code in RECORDED_ALL_THE_SAME or model.position == before
            if model.position > before or number == 199:
                _compare(ledger, rows, model, choose)
        live = {table: _rows(rows, table) for table in TABLES}
        assert set(rebuild.compare(rows).values()) == {0}
        assert rebuild.rebuild(rows) == model.position
        assert {table: _rows(rows, table) for table in TABLES} == live
    _compare_jobs(ledger, model)


def _say(ledger: Ledger, history: History, choose: random.Random) -> LedgerError | None:
    try:
        if choose.random() < 0.06:
            ledger.expire(Retention(**choose.choice(POLICIES)))
        else:
            ledger.record(history.next())
    except LedgerError as error:
        return error
    return None


def _compare(ledger: Ledger, rows: psycopg.Connection[Any], model: Model, choose: random.Random) -> None:
    _compare_jobs(ledger, model)
    _compare_stays(rows, model)
    answers = ledger.busy_all([EntityRef(type=kind, id=name) for kind, name in ENTITIES])
    for answer in answers:
        assert [view.job for view in answer.jobs] == model.busy(answer.entity.type, answer.entity.id)
        assert answer.position == model.position
    some = choose.choice(sorted(model.jobs) or [""])
    if some:
        assert [view.job for view in ledger.tree(some)] == model.tree(some)
    assert [view.job for view in ledger.due_to_close()] == model.due_to_close()
    _compare_expiry(ledger, model, choose)


def _compare_jobs(ledger: Ledger, model: Model) -> None:
    found = {view.job: _told(view) for view in ledger.jobs(JobFilter(expired=True))}
    assert found == {name: _predicted(model, name) for name in model.jobs}
    live = {name for name, job in model.jobs.items() if "expired" not in job["flags"]}
    assert {view.job for view in ledger.jobs()} == live
    active = {
        name for name in live if model.jobs[name]["phase"] != "closed" or model.jobs[name]["outcome"] == "unknown"
    }
    assert {view.job for view in ledger.jobs(JobFilter(active=True))} == active


def _told(view: JobView) -> dict[str, Any]:
    progress = {name: value for name, value in (view.progress or {}).items() if value is not None}
    entities = sorted((entity["type"], entity["id"], entity["role"], entity["access"]) for entity in view.entities)
    names = (
        "type", "parent", "root", "phase", "outcome", "done", "ok", "executor", "external_id", "token", "owner", "raw",
        "actor", "version", "position", "last_event", "required", "retry_of", "end_action", "result", "residue",
    )  # fmt: skip
    return {name: getattr(view, name) for name in names} | {
        "flags": set(view.flags),
        "progress": progress,
        "entities": entities,
        "times": (view.planned_at, view.started_at, view.closed_at),
    }


def _predicted(model: Model, name: str) -> dict[str, Any]:
    job = dict(model.jobs[name])
    outcome = job["outcome"]
    progress = dict(job["progress"])
    if "percent" not in progress and "done" in progress and "total" in progress:
        progress["percent"] = round(100 * progress["done"] / progress["total"], 2)
    times = (job.pop("planned"), job.pop("started"), job.pop("closed"))
    for unasked in ("aged_from", "retention", "params", "planned_position"):
        job.pop(unasked)
    return job | {
        "done": job["phase"] == "closed",
        "ok": None if outcome in (None, "unknown") else outcome == "succeeded",
        "progress": progress,
        "entities": model.touched(name),
        "times": times,
    }


def _compare_stays(rows: psycopg.Connection[Any], model: Model) -> None:
    found = rows.execute(
        "SELECT job, root, entity_type, entity_id, role, access, from_position, since, to_position, until "
        "FROM projections.running_jobs ORDER BY from_position, job, entity_type, entity_id, role"
    ).fetchall()
    names = ("job", "type", "id", "role", "access", "from", "since", "to", "until")
    stays = sorted(model.stays, key=lambda stay: (stay["from"], stay["job"], stay["type"], stay["id"], stay["role"]))
    assert [tuple(value for name, value in row.items() if name != "root") for row in found] == [
        tuple(stay[name] for name in names) for stay in stays
    ]
    assert all(row["root"] == model.jobs[row["job"]]["root"] for row in found)


def _compare_expiry(ledger: Ledger, model: Model, choose: random.Random) -> None:
    policy = choose.choice(POLICIES)
    last = list(_times(model))
    now = max(last, default=None)
    if now is None:
        return
    now += timedelta(seconds=choose.choice((0, 3, 20, 7_200)))
    trees = ledger._queries.expiry(Retention(**policy), now)
    assert sorted((tree.root, tree.leaves_at, tree.beyond) for tree in trees) == model.leaving(policy, now)
    when = [tree.leaves_at for tree in trees if tree.leaves_at]
    assert when == sorted(when)


def _times(model: Model) -> Iterator[Any]:
    return (job["aged_from"] for job in model.jobs.values() if job["aged_from"])


def _rows(connection: psycopg.Connection[Any], table: str) -> list[str]:
    found = connection.execute(f"SELECT t::text AS said FROM projections.{table} AS t ORDER BY 1").fetchall()
    return [row["said"] for row in found]
