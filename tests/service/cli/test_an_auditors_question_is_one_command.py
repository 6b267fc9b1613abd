import json
from contextlib import suppress
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy
from tests.service.cli.conftest import Run, environment, on, plan


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """A disk that two want, a cancelling, and what recovery found and others found out later."""
    ledger.record(plan("move", "MoveDisk", actor="alice", owner="engine-1", entities=[on("disk/d-17")]))
    with suppress(EntityBusy):
        ledger.record(plan("remove", "RemoveDisk", actor="bob", entities=[on("disk/d-17")]))
    ledger.start("move", executor="vdsm", at="2026-01-02T03:05:05Z")
    ledger.cancel("move", actor="carol", reason="wrong disk")
    ledger.record({"job": "move", "event": "cancelled", "at": "2026-01-02T03:07:05Z"})
    for job in ("x", "y"):
        ledger.record(plan(job, "MoveDisk", actor="alice"))
        ledger.record({"job": job, "event": "lost", "at": "2026-01-02T03:14:05Z", "actor": "recovery"})
    ledger.resolve("y", "failed", evidence="the disk is full", error={"message": "disk full"}, actor="dave")
    return ledger


def _found(run: Run, *words: str) -> list[tuple[str, str]]:
    done = run("history", "-o", "jsonl", *words)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    return [(line["job"], line["event"]) for line in lines]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            ("entity:disk/d-17", "--oldest"),
            [("move", "planned"), ("remove", "refused"), ("move", "started"), ("move", "cancel_requested"),
             ("move", "cancelled")],
        ),
        (("job:move event:cancel_requested",), [("move", "cancel_requested")]),
        (("event:refused after:-7d",), [("remove", "refused")]),
        (("is:verdict",), [("y", "lost"), ("x", "lost")]),
        (("is:verdict is:revised",), [("y", "lost")]),
        (("actor:alice event:planned,refused",), [("y", "planned"), ("x", "planned"), ("move", "planned")]),
        (("actor:bob",), [("remove", "refused")]),
        (('text:"DISK full" type:MoveDisk',), [("y", "resolved")]),
        (("owner:engine-1 outcome:cancelled executor:vdsm",), [("move", "cancelled")]),
        (("occurred:2026-01-02T03:05:00Z..2026-01-02T03:06:00Z",), [("move", "started")]),
        (("position:2..3 -event:refused",), [("move", "started")]),
        (("x", "--limit", "1"), [("x", "lost")]),
        (("type:MoveDisk", "--oldest", "--after", "1", "--before", "4"), [("move", "started")]),
    ],
)  # fmt: skip
def test_an_auditors_question_is_one_command(
    run: Run, told: Ledger, words: tuple[str, ...], found: list[tuple[str, str]]
) -> None:
    """Each filter finds what it says, newest first unless told."""
    assert _found(run, *words) == found


def test_a_refusal_shows_who_was_in_the_way(run: Run, told: Ledger) -> None:
    """Who and why stand in front; what blocked a start, how long a job took and what was revised stand behind."""
    refused = run("history", "event:refused")
    assert "bob" in refused.out
    assert "blocked by move on disk/d-17, engine-1" in refused.out
    assert "true up to position" in refused.err
    cancelling = run("history", "job:move").out
    assert cancelling.index("carol") < cancelling.index("wrong disk") < cancelling.index("cancel_requested")
    assert "after 2 min 00 s" in cancelling
    assert "(alice)" in cancelling
    assert f"revised at position {told.position()}" in run("history", "is:revised").out


def test_durations_are_told_by_outcome(run: Run, told: Ledger) -> None:
    """Jobs count under the outcome that stands, from first work or else from the plan."""
    said = json.loads(run("history", "type:MoveDisk", "--durations", "-o", "json").out)
    assert said["durations"] == [
        _took("cancelled", 1, 120, 120, 120),
        _took("failed", 1, 600, 600, 600),
        _took("unknown", 1, 600, 600, 600),
        _took(None, 3, 600, 600, 600),
    ]
    assert said["position"] == told.position()
    assert "all" in run("history", "--durations").out


def _took(outcome: str | None, jobs: int, *seconds: float) -> dict[str, Any]:
    return {"outcome": outcome, "jobs": jobs, "timed": jobs, **dict(zip(("p50", "p95", "max"), seconds, strict=True))}


def test_a_page_says_how_to_go_on(run: Run, told: Ledger) -> None:
    """In words and in JSON, as far as there may be more."""
    first = run("history", "type:MoveDisk", "--limit", "4")
    place = first.err.partition("--before ")[2].split()[0]
    second = json.loads(run("history", "type:MoveDisk", "--limit", "100", "--before", place, "-o", "json").out)
    whole = json.loads(run("history", "type:MoveDisk", "-o", "json").out)
    assert [entry["position"] for entry in second["entries"]] == [it["position"] for it in whole["entries"][4:]]
    assert second["before"] is None
    assert second["filter"] == "type:MoveDisk"
    assert whole["entries"][0]["then"]["entities"] == []


def test_a_job_is_still_printed_in_full(run: Run, told: Ledger) -> None:
    """A word without a colon is a job; one with a colon is named by job:."""
    said = json.loads(run("history", "y", "-o", "json").out)
    assert [event["event"] for event in said["events"]] == ["planned", "lost", "resolved"]
    assert run("history", "nobody").code == 4
    told.plan("T", job="urn:uuid:1")
    assert _found(run, "job:urn:uuid:1") == [("urn:uuid:1", "planned")]


def test_a_bad_filter_is_one_sentence(run: Run, told: Ledger) -> None:
    """With the column and what was expected; exit 2."""
    bad = run("history", "type:T outcome:faild")
    assert (bad.code, bad.out) == (2, "")
    assert bad.err == (
        "jobledger: At column 16 of the filter there must be one of succeeded, failed, cancelled, refused, abandoned, "
        "unknown, and there is 'faild'.\n"
    )
    assert run("history", "urn:uuid:1").code == 2
    assert run("history", "text:disk").code == 2
    assert run("history", "type:" + "x" * 100_000).code == 2
    assert run("history", "type:T", "--limit", "20000").code == 2


def test_history_is_rebuilt_and_listed(run: Run, told: Ledger, superuser: str) -> None:
    """It is behind until somebody asks, is dropped and filled anew, and doctor is content."""
    views = {
        line["view"]: line["lag"]
        for line in map(json.loads, run("projections", "list", "-o", "jsonl").out.splitlines())
    }
    inline = dict.fromkeys(("job_status", "running_jobs", "told"), 0)
    assert views == {**inline, "history": told.position(), "activity": told.position()}
    before = _found(run, "")
    rebuilt = run("projections", "rebuild", "history", env=environment(superuser))
    assert f"rebuilt up to position {told.position()}" in rebuilt.out
    assert _found(run, "") == before
    assert run("projections", "rebuild", "history").code == 69  # a writer may not
    wrong = run("projections", "rebuild", "histroy")
    assert wrong.code == 4
    assert wrong.err == (
        "jobledger: A view must be one of job_status, running_jobs, told, history, activity, and 'histroy' is none.\n"
    )
    rebuilt = run("projections", "rebuild", "running_jobs", env=environment(superuser))
    assert rebuilt.out == f"The view running_jobs is rebuilt up to position {told.position()}.\n"
    assert "The view history is 0 events behind" in run("doctor").out
