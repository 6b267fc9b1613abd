import json
import os
import shlex
import subprocess
import sys

import pytest

from ledger.application import Ledger
from tests.service.cli.conftest import COMMAND, Run, environment, execute, on, plan


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """One job that runs on a disk, one that failed, one that succeeded."""
    ledger.record(plan("open", entities=[on("disk/d-17")]))
    for job, event in (("bad", "failed"), ("good", "succeeded")):
        ledger.record(plan(job))
        ledger.record({"job": job, "event": event})
    return ledger


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("busy", "disk/d-17"), 0),
        (("busy", "disk/d-18"), 1),
        (("busy", "disk"), 2),
        (("show", "open"), 0),
        (("show", "never-was"), 4),
        (("tree", "never-was"), 4),
        (("history", "never-was"), 4),
        (("wait", "never-was"), 4),
        (("wait", "good"), 0),
        (("wait", "bad"), 3),
        (("watch", "bad"), 3),
        (("watch", "good"), 0),
        (("wait", "open", "--timeout", "0.1"), 124),
        (("wait", "--free", "disk/d-17", "--timeout", "0.1"), 124),
        (("wait", "--free", "disk/d-18"), 0),
        (("wait",), 2),
        (("watch", "--after", "1000"), 6),
        (("watch", "--after", "-1"), 2),
        (("wait", "open", "--timeout", "nan"), 2),
        (("wait", "open", "--timeout", "-1"), 2),
        (("list", "--phase", "dancing"), 2),
        (("list", "--silent-for", "soon"), 2),
        (("list", "--silent-for", "-5"), 2),
        (("list", "--silent-for", "99999999d"), 2),
        (("list", "--limit", "-1", "-o", "jsonl"), 2),
        (("list", "--before", "99999999999999999999"), 2),
        (("expiry", "--limit", "-1"), 2),
        (("nonsense",), 2),
        (("--version",), 0),
        (("record", "{"), 2),
        (("record", '{"job":"open","event":"planned","type":"Other"}'), 5),
        (("record", '{"job":"good","event":"disputed","evidence":{"x":1}}'), 0),
        (("record", '{"job":"open","event":"resolved","outcome":"failed"}'), 5),
        (("cancel", "never-was"), 4),
        (("projections", "compare"), 69),
    ],
)
def test_exit_codes_tell_a_script_what_happened(run: Run, told: Ledger, words: tuple[str, ...], code: int) -> None:
    done = run(*words)

    assert done.code == code, done
    if code in (2, 4, 5, 6, 69, 124):
        assert done.err.strip()
        assert not done.out


NOT_UTF_8 = "\udcff"  # the byte FF, as Python passes it on


@pytest.mark.parametrize(
    "words",
    [
        ("busy", "disk/d-17", "--besides", NOT_UTF_8),
        ("busy", f"disk/{NOT_UTF_8}"),
        ("show", NOT_UTF_8),
        ("show", NOT_UTF_8, "--as-of", "1"),
        ("tree", NOT_UTF_8),
        ("wait", NOT_UTF_8),
        ("watch", NOT_UTF_8),
        ("history", NOT_UTF_8),
        ("list", "--type", NOT_UTF_8),
        ("list", "--root", NOT_UTF_8),
        ("hold", NOT_UTF_8),
        ("recover", "--owner", NOT_UTF_8),
    ],
)
def test_a_text_that_is_not_unicode_is_told_as_one(run: Run, told: Ledger, words: tuple[str, ...]) -> None:
    """Not as an answer: `busy` that exits with 1 says that nothing runs."""
    done = run(*words)

    assert (done.code, done.out) == (2, "")
    assert "Unicode" in done.err


def test_what_a_terminal_cannot_show_is_told(conninfo: str, told: Ledger) -> None:
    """JSON stays JSON."""
    told.record(plan("é😀"))
    env = environment(conninfo, PYTHONIOENCODING="ascii")

    listed, shown = (execute(("list", "-o", form), "", env) for form in ("json", "table"))

    assert json.loads(listed.out)["jobs"][0]["job"] == "é😀"
    assert (listed.code, shown.code) == (0, 0)
    assert "\\U0001f600" in shown.out


@pytest.mark.parametrize(
    ("words", "redirected", "code"),
    [
        ("busy disk/d-17", ">&-", 0),
        ("busy disk/d-18", ">&-", 1),
        ("show never-was", "2>&-", 4),
        ("show never-was", "2>/dev/full", 4),
        ("busy disk", "2>/dev/full", 2),
        ("busy disk/d-17", ">/dev/full", 2),
    ],
)
def test_nobody_need_read_what_is_said(conninfo: str, told: Ledger, words: str, redirected: str, code: int) -> None:
    """The exit code is the same where a stream is closed, and tells where nothing can be written."""
    command = f"{shlex.join(COMMAND)} {words} {redirected}"
    done = subprocess.run(
        ("bash", "-c", command), env=environment(conninfo), capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(("entity", "code"), [("disk/d-17", 0), ("disk/d-18", 1)])
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_reader_that_leaves_changes_no_answer(conninfo: str, told: Ledger, entity: str, code: int, form: str) -> None:
    """Nor does it make one up: 141 says that the output was not read, before anything was known."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        words = (*COMMAND, "busy", entity, "-o", form)
        done = subprocess.run(
            words, env=environment(conninfo), stdout=nobody, stderr=subprocess.PIPE, timeout=60, check=False
        )

    assert done.returncode in (code, 141)
    assert not done.stderr


def test_a_fault_of_ours_is_no_answer(conninfo: str) -> None:
    """Python would exit with 1, which says of an entity that it is free."""
    broken = "from ledger.service.cli import ask, main; ask.moments = None; main()"
    words = (sys.executable, "-c", broken, "busy", "disk/d-17")
    done = subprocess.run(words, env=environment(conninfo), capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 70
    assert "Traceback" in done.stderr


def test_a_refusal_names_the_blocker_and_is_on_record(run: Run, told: Ledger) -> None:
    done = run("record", json.dumps(plan("second", entities=[on("disk/d-17", "shared")])))

    assert done.code == 5
    assert "open" in done.err
    assert json.loads(run("show", "second", "-o", "json").out)["outcome"] == "refused"
    assert json.loads(run("busy", "disk/d-17", "-o", "json").out)["count"] == 1
