import json

from ledger.application import Ledger
from tests.service.cli.conftest import Run, plan


def test_expiry_forecasts_and_applies(run: Run, ledger: Ledger) -> None:
    for n in range(3):
        ledger.record(plan(f"j{n}", actor="alice", retention={"keep_for": 0, "keep_at_most": 1}))
        ledger.succeed(f"j{n}")
    assert json.loads(run("hold", "j0", "--reason", "case 4711").out)["disposition"] == "recorded"

    said = json.loads(run("expiry", "-o", "json").out)
    assert [tree["root"] for tree in said["trees"]] == ["j1", "j2", "j0"]
    assert said["trees"][2]["on_hold"] is True
    assert "j1" in run("expiry", "--limit", "1").out

    applied = json.loads(run("expiry", "--apply", "--limit", "1", "-o", "json").out)
    assert [tree["root"] for tree in applied["trees"]] == ["j1"]
    assert run("expiry", "--apply").out == "1 trees with 1 jobs left the live views.\n"
    run("hold", "j0", "--lift")
    assert run("expiry", "--apply").out.startswith("1 trees")
    assert run("list", "-o", "jsonl").out == ""
    assert json.loads(run("show", "j1", "-o", "json").out)["flags"] == ["expired"]
    assert run("expiry", "--policy", "never").code == 2


def test_a_forecast_that_is_cut_off_says_so(run: Run, ledger: Ledger) -> None:
    records = [said for n in range(51) for said in (plan(f"j{n}"), {"job": f"j{n}", "event": "succeeded"})]
    ledger.import_records(json.dumps(said).encode() for said in records)

    assert "There may be more" in run("expiry").err
    assert run("expiry", "--limit", "60").err == ""
