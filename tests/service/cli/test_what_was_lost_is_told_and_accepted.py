import json
from pathlib import Path

from ledger.application import Ledger
from tests.integrity.wounds import owner_of, unguarded
from tests.service.cli.conftest import Run


def _lose(superuser: str, beyond: int) -> None:
    """Let the database go back to a position, as its owner could, and be as it was then."""
    with owner_of(superuser) as admin:
        unguarded(admin, f"DELETE FROM ledger.stored_events WHERE notification_id > {beyond}")
        admin.execute("DELETE FROM projections.job_status WHERE (document ->> 'position')::bigint > %s", (beyond,))
        admin.execute("UPDATE projections.tracking SET position = %s", (beyond,))


def test_what_was_lost_is_told_and_accepted(run: Run, superuser: str, tmp_path: Path) -> None:
    """From cursors that were kept, on the command line or as receipts in a file; exit 6 until it is accepted."""
    receipts = [
        json.loads(run("record", json.dumps({"job": job, "event": "planned", "type": "T"})).out) for job in "abc"
    ]
    first, *_, last = (receipt["cursor"] for receipt in receipts)
    assert run("lost", first, last).code == 0
    _lose(superuser, 1)
    run("record", json.dumps({"job": "d", "event": "planned", "type": "T"}))

    found = run("lost", first, last)
    assert (found.code, f"no longer has {last}" in found.out, first in found.out) == (6, True, False)
    (tmp_path / "receipts").write_text("".join(json.dumps(receipt) + "\n" for receipt in receipts))
    told = run("lost", str(tmp_path / "receipts"), "-o", "json")
    assert (told.code, json.loads(told.out)["cursors"]) == (6, [receipt["cursor"] for receipt in receipts[1:]])
    for words in (("watch",), ("export",), ("history",)):
        assert run(*words, "--after", last).code == 6
    assert len(run("export", "--after", first).out.splitlines()) == 1
    assert run("history", "--after", first).code == 0

    accepted = run("lost", last, "--accept", "--actor", "ann", "--reason", "restored", "-o", "json")
    assert (accepted.code, json.loads(accepted.out)["cursors"]) == (0, [last])
    (entry,) = json.loads(run("history", "event:loss_accepted", "-o", "json").out)["entries"]
    assert (entry["position"], entry["known_at"], entry["ends_at"], entry["actor"]) == (3, 3, 2, "ann")
    assert "loss_accepted" in run("history").out


def test_a_watch_goes_on_from_what_it_printed(run: Run, ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    ledger.abandon("a")
    lines = [json.loads(line) for line in run("watch", "a", "-o", "jsonl").out.splitlines()]
    again = run("watch", "a", "--after", lines[0]["cursor"], "-o", "jsonl")
    assert [json.loads(line)["cursor"] for line in again.out.splitlines()] == [lines[1]["cursor"]]


def test_a_place_that_is_none_gets_one_sentence(run: Run) -> None:
    for words in (("lost", "12:"), ("watch", "--after", "x"), ("lost", "/does/not/exist"), ("lost",)):
        done = run(*words)
        assert (done.code, "Traceback" in done.err) == (2, False), words
