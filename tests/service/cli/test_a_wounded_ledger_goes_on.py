"""What somebody sees and does at a ledger in which rows are no events: it is named, and stops nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from tests.integrity.wounds import leave_gap, owner_of, put, set_time
from tests.service.cli.conftest import Ran, environment, execute


class Operator:
    """Somebody who may write and seal."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    def __call__(self, *words: str) -> Ran:
        return execute(words, "", self._env)

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json").out)


@pytest.fixture
def operator(superuser: str, tmp_path: Path, ledger: Ledger) -> Operator:
    """Of a ledger with a job that has a bad row, and one beside it."""
    ledger.plan("T", job="a", entities=[{"type": "vm", "id": "web01"}])
    ledger.start("a", executor="e", external_id="1")
    ledger.plan("T", job="beside")
    with owner_of(superuser) as admin:
        put(admin, "job:a", 3, "job.succeeded.v1", b"\xff not json \x1b[31m")
    return Operator(environment(superuser, JOBLEDGER_KEY=str(tmp_path / "seal.key")))


def test_a_bad_row_is_named_by_every_command_that_looks(operator: Operator) -> None:
    """Doctor, verify and compare name position and stream; seal does too, and says how to go on."""
    sealed = operator("seal")
    assert (sealed.code, sealed.out.splitlines()[1]) == (6, "3")
    assert "Position 4" in sealed.err
    assert "--accept 4 --reason" in sealed.err
    for words, code in ((("doctor",), 1), (("verify",), 6), (("projections", "compare"), 6)):
        found = operator(*words)
        assert found.code == code, (words, found)
        assert "job:a version 3" in " ".join((found.out + found.err).split()), (words, found)
    assert operator("record", '{"job":"beside","event":"succeeded"}').code == 0
    for words, code in ((("doctor",), 1), (("projections", "compare"), 6)):
        assert operator(*words).code == code


def test_a_damaged_job_shows_as_what_it_is(operator: Operator) -> None:
    """Show, tree and list flag it; an append is one sentence with exit 6; history, export and watch tell the row."""
    refused = operator("record", '{"job":"a","event":"succeeded"}')
    assert refused.code == 6
    assert refused.err.count("\n") == 1
    assert operator("cancel", "beside").code == 0
    assert operator.json("show", "a")["flags"] == ["damaged"]
    assert "running (damaged)" in operator("show", "a").out
    assert [job["flags"] for job in operator.json("tree", "a")["jobs"]] == [["damaged"]]
    assert "(damaged)" in operator("list").out
    assert operator("busy", "vm/web01").code == 0
    told = operator.json("history", "a")["events"][-1]
    assert (told["event"], told["job"], told["row_topic"]) == ("damaged", "a", "job.succeeded.v1")
    assert "\x1b" not in operator("history", "a").out + operator("history").out
    lines = [json.loads(line) for line in operator("export").out.splitlines()]
    assert [line.get("export") for line in lines] == [None, None, None, "damaged", None]
    for words in (("wait", "a"), ("watch", "a")):  # neither of which would ever end
        assert operator(*words).code == 6
    assert operator("recover", "--apply", "--yes").code in {0, 2, 7}
    assert operator("projections", "rebuild").code == 0
    assert operator.json("show", "a")["flags"] == ["damaged"]


def test_a_break_is_accepted_and_sealing_goes_on(operator: Operator, tmp_path: Path) -> None:
    """With who and why on record, in the ledger itself; the same again is unchanged, and nothing goes unasked."""
    assert operator("seal", "--accept", "4").code == 2
    assert operator("seal", "--reason", "x").code == 2
    assert operator("seal", "--accept", "2", "--reason", "x").code == 4
    first = operator("seal", "--accept", "4", "--reason", "disk fault", "--actor", "ann", "-o", "json")
    assert (first.code, json.loads(first.out)["size"]) == (0, 5)
    again = operator("seal", "--accept", "4", "--reason", "disk fault", "-o", "json")
    assert (again.code, json.loads(again.out)["size"]) == (0, 5)
    verified = operator.json("verify")
    assert (verified["ok"], len(verified["known"])) == (True, 1)
    assert operator("doctor").code == 0
    assert operator("projections", "compare").code == 0
    (entry,) = operator.json("history", "event:break_accepted")["entries"]
    assert (entry["position"], entry["break_at"], entry["promise"], entry["actor"], entry["reason"]) == (
        *(5, 4, "bytes", "ann", "disk fault"),
    )
    (tmp_path / "again.jsonl").write_text(lines := operator("export").out)
    assert json.loads(lines.splitlines()[-1])["break_at"] == 4
    assert [line[:6] for line in operator("import", str(tmp_path / "again.jsonl")).err.splitlines()] == [
        *("line 1", "line 2"),  # of the job that is damaged
    ]
    exported = operator("export", "--to", str(tmp_path / "e.jsonl"))
    assert exported.code == 0, exported.err
    key = (tmp_path / "seal.key.pub").read_text().strip()
    proved = operator("verify-export", str(tmp_path / "e.jsonl"), "--key", key)
    assert proved.code == 0, proved
    assert "no events" in proved.out


def test_gaps_and_an_infinite_time_are_told(operator: Operator, superuser: str, ledger: Ledger) -> None:
    """A gap is sealed and known; a time ahead of the clock is one break; the past is told over both."""
    for n in range(5):
        ledger.plan("T", job=f"n{n}")
    with owner_of(superuser) as admin:
        leave_gap(admin, 6, 7)
        set_time(admin, 9, "now() + interval '3 days'")
    assert "ahead of the clock" in operator("doctor").out
    assert "s ahead of the clock, and until then events bear its time" in operator("history", "after:-1h").err
    assert "ahead" not in operator("history", "type:T").err
    sealed = operator("seal", "--accept", "4", "--reason", "x")
    assert sealed.code == 6
    assert "from position 6 to 7" in sealed.err
    assert "Position 9" in sealed.err
    assert operator("show", "n1", "--as-of", "2999-01-01T00:00:00Z").code == 4
    assert operator("show", "n4", "--as-of", "9").code == 0
    assert operator("diff", "--from", "1").code == 0
    assert operator("history", "--as-of", "7").code == 0
