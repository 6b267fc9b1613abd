import json
from datetime import UTC, datetime, timedelta

import pytest

from ledger.application import Ledger
from ledger.errors import BadInput
from ledger.service.wire import parse_moment
from tests.service.cli.conftest import Run, on, plan

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """A relocation with a part, and a backup that was planned on its host meanwhile."""
    ledger.record(
        plan("j1", entities=[on("vm/web01"), on("host/h1", "shared")], children=[{"job": "j1/c", "type": "T"}])
    )
    ledger.record(plan("j2", "Backup", at="2026-01-02T04:00:00Z", entities=[on("host/h1", "shared")]))
    ledger.start("j1", at="2026-01-02T03:05:00Z")
    ledger.succeed("j1/c", at="2026-01-02T03:06:00Z")
    ledger.succeed("j1", at="2026-01-02T03:30:00Z")
    return ledger


def test_what_was_running_is_answered_as_of_a_position(run: Run, told: Ledger) -> None:
    assert json.loads(run("show", "j1", "--as-of", "3", "-o", "json").out)["phase"] == "planned"
    tree = json.loads(run("tree", "j1", "--as-of", "2", "-o", "json").out)
    assert [job["job"] for job in tree["jobs"]] == ["j1", "j1/c"]
    assert json.loads(run("busy", "host/h1", "--as-of", "2", "-o", "json").out)["count"] == 1
    busy = run("busy", "host/h1", "--as-of", "5")
    assert busy.code == 0
    assert "host/h1 was busy with 2:" in busy.out
    assert busy.err.startswith("As of position 5, 20")
    assert run("busy", "vm/web01", "--as-of", "6").code == 1
    listed = json.loads(run("list", "--active", "--as-of", "4", "-o", "json").out)
    assert ([job["job"] for job in listed["jobs"]], listed["position"]) == (["j2", "j1/c", "j1"], 4)
    history = json.loads(run("history", "j1", "--as-of", "4", "-o", "json").out)
    assert [event["event"] for event in history["events"]] == ["planned", "started"]


def test_what_was_running_at_a_time_of_the_callers_is_answered(run: Run, told: Ledger) -> None:
    """What ran on the host at 03:12, told long after."""
    at = ("--as-of", "2026-01-02T03:12:00Z", "--occurred")
    answer = json.loads(run("busy", "host/h1", *at, "-o", "json").out)
    assert [(job["job"], job["phase"], job["elapsed_seconds"]) for job in answer["jobs"]] == [("j1", "running", 420.0)]
    assert [json.loads(line)["job"] for line in run("list", "--active", *at, "-o", "jsonl").out.splitlines()] == ["j1"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("show", "j1", "--as-of", "99"), 4, "jobledger: No event has the position 99: the ledger goes from 1 to 6."),
        (("show", "j1", "--as-of", "0"), 4, "jobledger: No event has the position 0: the ledger goes from 1 to 6."),
        (("busy", "vm/x", "--as-of", "1999-12-31"), 4, "jobledger: Nothing was on record at 1999-12-31T00:00:00Z"),
        (("show", "j2", "--as-of", "2"), 4, "No event speaks of job j2 as of position 2, 20"),
        (("show", "j1", "--as-of", "soon"), 2, "A moment must read like"),
        (("show", "j1", "--as-of", "3", "--occurred"), 2, "asked as of a time, not of a position"),
        (("show", "j1", "--occurred"), 2, "belongs to --as-of"),
        (("list", "--as-of", "3"), 2, "say --active"),
        (("diff", "--from", "5", "--to", "3"), 2, "from the earlier moment to the later one"),
    ],
)
def test_a_moment_that_cannot_be_told_of_is_one_sentence(
    run: Run, told: Ledger, words: tuple[str, ...], code: int, sentence: str
) -> None:
    ran = run(*words)
    assert ran.code == code
    assert sentence in " ".join(ran.err.replace("│", " ").split())


def test_a_diff_is_told_in_every_form(run: Run, told: Ledger) -> None:
    said = json.loads(run("diff", "--from", "3", "-o", "json").out)
    assert ([job["job"] for job in said["closed"]], said["position"]) == (["j1/c", "j1"], 6)
    assert said["free"] == [{"type": "vm", "id": "web01"}]
    lines = [json.loads(line) for line in run("diff", "--from", "2", "--to", "4", "-o", "jsonl").out.splitlines()]
    assert [(line["what"], line["job"]) for line in lines] == [("opened", "j2"), ("changed", "j1")]
    assert "vm/web01" in run("diff", "--from", "5", "--to", "6").out
    assert run("diff", "--from", "6").code == 1


def test_moments_read_as_people_write_them() -> None:
    read = {text: parse_moment(text, NOW) for text in ("812", "-2h", "03:12", "13:00:30", "2026-01-01")}
    assert read == {
        "812": 812,
        "-2h": NOW - timedelta(hours=2),
        "03:12": datetime(2026, 1, 2, 3, 12, tzinfo=UTC),
        "13:00:30": datetime(2026, 1, 1, 13, 0, 30, tzinfo=UTC),  # yesterday's: today's is to come
        "2026-01-01": datetime(2026, 1, 1, tzinfo=UTC),
    }
    assert parse_moment("2026-01-01T05:00:00+02:00", NOW) == datetime(2026, 1, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "-", "-2y", "25:00", "3:12", "2026-13-01", "2026-01-01T03:12:00", "1e9", "-1e30d"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="A moment must read like"):
        parse_moment(text, NOW)
