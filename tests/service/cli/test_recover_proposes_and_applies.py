import gzip
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from tests.recovery.given import remove_vm, running
from tests.service.cli.conftest import Run, environment

EXECUTOR = {"executor": "agent"}


def _tasks(*lines: dict[str, Any]) -> str:
    return "\n".join(json.dumps(EXECUTOR | line) for line in lines)


BOTH_GONE = _tasks(
    {"external_id": "task-1", "state": "succeeded", "raw": "DONE"}, {"external_id": "task-2", "state": "succeeded"}
)


def test_a_plan_exits_7_and_writes_nothing(run: Run, ledger: Ledger) -> None:
    remove_vm(ledger)
    before = ledger.position()

    done = run("recover")

    assert done.code == 7
    assert "rm/d3, rm/d4 were never sent" in done.out
    assert "--apply" in done.err
    assert ledger.position() == before


def test_json_gives_each_verdict_with_its_evidence(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    remove_vm(ledger)
    (tmp_path / "tasks").write_text(BOTH_GONE)

    said = json.loads(run("recover", "--tasks", str(tmp_path / "tasks"), "-o", "json").out)

    assert (said["applied"], said["work"], said["position"]) == (False, True, ledger.position())
    assert [(it["job"], it["verdict"]) for it in said["verdicts"]] == [
        ("rm/d1", "succeeded"),
        ("rm/d2", "succeeded"),
        ("rm/d3", "abandoned"),
        ("rm/d4", "abandoned"),
        ("rm", "failed"),
    ]
    assert said["verdicts"][0]["evidence"]["task"] == {
        **EXECUTOR,
        "external_id": "task-1",
        "state": "succeeded",
    }


def test_applied_it_exits_0_and_nothing_is_left(run: Run, ledger: Ledger) -> None:
    remove_vm(ledger)

    assert run("recover", "--apply", "--tasks", "-", stdin=BOTH_GONE).code == 0

    assert [run("recover").code, ledger.job("rm").outcome] == [0, "failed"]
    events = [(it.event.name, it.event.actor) for it in ledger.history("rm/d1")]
    assert events[-1] == ("succeeded", "recovery")


def test_what_is_found_out_later_resolves(run: Run, ledger: Ledger) -> None:
    running(ledger, "a", "task-a", entities=[{"type": "vm", "id": "v"}])
    run("recover", "--apply")
    assert [ledger.job("a").outcome, run("busy", "vm/v").code] == ["unknown", 0]

    later = _tasks({"external_id": "task-a", "state": "succeeded"})
    assert run("recover", "--tasks", "-", stdin=later).code == 7
    assert run("recover", "--tasks", "-", "--apply", stdin=later).code == 0

    assert [ledger.job("a").outcome, run("busy", "vm/v").code] == ["succeeded", 1]


def test_an_owner_is_fenced_and_another_answers_for_what_stays(run: Run, ledger: Ledger) -> None:
    with ledger.start_owner("engine") as own:
        running(own, "a", "task-a")
    still = _tasks({"external_id": "task-a", "state": "running"})
    words = ("recover", "--fence", "engine", "--as", "rescuer", "--tasks", "-")

    dry = run(*words, "-o", "json", stdin=still)
    assert (dry.code, json.loads(dry.out)["fences"]) == (7, ["engine"])
    assert ledger.job("a").owner == "engine"
    assert run(*words, "--apply", stdin=still).code == 0

    assert (ledger.job("a").owner, ledger.job("a").epoch, ledger.job("a").phase) == ("rescuer", 1, "running")
    assert run(*words, stdin=still).code == 0


def test_an_orphan_is_listed_and_adopted(run: Run, ledger: Ledger) -> None:
    stray = _tasks({"external_id": "stray", "state": "running"})

    listed = run("recover", "--tasks", "-", stdin=stray)
    assert (listed.code, "agent stray" in listed.out) == (0, True)
    assert run("recover", "--tasks", "-", "--adopt", stdin=stray).code == 7
    assert run("recover", "--tasks", "-", "--adopt", "--apply", stdin=stray).code == 0
    assert run("recover", "--tasks", "-", "--adopt", stdin=stray).code == 0

    assert ledger.job("adopted/agent/stray").type == "Adopted"


def test_the_views_can_be_proved_first(run: Run, ledger: Ledger, superuser: str) -> None:
    running(ledger, "a")
    projector = environment(superuser)
    assert run("recover", "--compare", env=projector).code == 7

    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("UPDATE projections.job_status SET phase = 'queued'")
    done = run("recover", "--compare", "--apply", env=projector)

    assert (done.code, "job_status (1 rows)" in done.err) == (6, True)
    assert ledger.job("a").outcome is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("recover", "--tasks", "/no/such/file"), 2),
        (("recover", "--job", "never-was"), 4),
        (("recover", "--owner", "never-was"), 4),
        (("recover", "--fence", "never-was", "--apply"), 4),
        (("resolve", "a", "succeeded"), 2),
        (("resolve", "a", "succeeded", "--evidence", ""), 2),
        (("resolve", "a", "succeeded", "--evidence", "[" * 5_000), 2),
        (("resolve", "a", "succeeded", "--evidence", '{"a":1,"a":2}'), 2),
        (("resolve", "a", "unknown", "--evidence", "x"), 2),
        (("resolve", "a", "failed", "--evidence", "x"), 5),
        (("dispute", "a"), 2),
        (("dispute", "never-was", "--reason", "x"), 4),
    ],
)
def test_bad_input_gets_its_code(run: Run, ledger: Ledger, words: tuple[str, ...], code: int) -> None:
    ledger.plan("T", job="a")
    ledger.succeed("a")

    done = run(*words)

    assert (done.code, done.out) == (code, "")


def test_a_bad_task_stops_before_anything_is_written(run: Run, ledger: Ledger) -> None:
    running(ledger, "a")

    done = run("recover", "--apply", "--tasks", "-", stdin=BOTH_GONE + '\n{"executor":"agent"}')

    assert (done.code, done.err.count("\n"), ledger.job("a").outcome) == (2, 1, None)
    assert "Line 3" in done.err


def test_what_is_found_out_by_people_is_recorded_with_its_evidence(run: Run, ledger: Ledger) -> None:
    for job in ("a", "b"):
        ledger.plan("T", job=job)
    ledger.lose("a")
    ledger.succeed("b")

    assert run("resolve", "a", "failed", "--evidence", '{"ticket":7}', "--actor", "bob", "--reason", "looked").code == 0
    assert run("dispute", "b", "--evidence", "the disk is still there", "--actor", "bob").code == 0

    resolved, disputed = ledger.history("a")[-1].event, ledger.history("b")[-1].event
    assert (resolved.name, resolved.actor, resolved.reason, ledger.job("a").evidence) == (
        "resolved", "bob", "looked", {"ticket": 7},
    )  # fmt: skip
    assert (disputed.name, disputed.actor, ledger.job("b").outcome) == ("disputed", "bob", "succeeded")


def test_words_of_an_executor_cannot_command_a_terminal(run: Run, ledger: Ledger) -> None:
    stray = json.dumps({"executor": "x\nNothing is left behind.", "external_id": "\x1b[31m", "state": "running"})

    done = run("recover", "--tasks", "-", stdin=stray)

    assert "\x1b" not in done.out + done.err
    assert done.out.count("\n") == 1
    assert "Nothing is left behind." not in done.err


def test_a_reason_alone_is_the_evidence(run: Run, ledger: Ledger) -> None:
    ledger.plan("T", job="k")
    ledger.succeed("k")

    for reason in ("the disk is there", "and so is its copy"):
        assert '"recorded"' in run("dispute", "k", "--reason", reason).out

    assert [entry.event.reason for entry in ledger.history("k")[-2:]] == ["the disk is there", "and so is its copy"]


def test_a_packed_file_of_tasks_is_read_and_a_bad_line_named_with_it(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    running(ledger, "a", "task-a")
    packed, bad = tmp_path / "tasks.gz", tmp_path / "more"
    packed.write_bytes(gzip.compress(_tasks({"external_id": "task-a", "state": "running"}).encode()))
    bad.write_text("\n{")

    assert run("recover", "--tasks", str(packed)).code == 0
    done = run("recover", "--tasks", str(packed), "--tasks", str(bad))
    assert (done.code, f"Line 2 of {bad}" in done.err) == (2, True)


def test_more_than_a_hundred_verdicts_want_a_yes(run: Run, ledger: Ledger) -> None:
    """A slip of the hand writes nothing about a whole fleet."""
    for n in range(101):
        ledger.plan("T", job=f"j{n}")

    done = run("recover", "--apply")
    assert (done.code, ledger.position()) == (2, 101)
    assert "101 verdicts" in done.err
    assert "--yes" in done.err
    assert run("recover", "--apply", "--yes").code == 0
    assert ledger.position() == 202
