import json
from pathlib import Path

from ledger.application import Ledger
from ledger.records.transcript import transcribe
from ledger.service.assembly import assemble
from tests.service.cli.conftest import Run, on, plan


def test_an_export_imports_to_the_same_jobs(run: Run, ledger: Ledger, second: str, tmp_path: Path) -> None:
    parts = [{"job": f"p/{n}", "type": "Part", "children": [{"job": f"p/{n}/x", "type": "Bit"}]} for n in range(3)]
    ledger.record(plan("p", actor="alice", entities=[on("vm/web01")], children=parts, end_action="auto"))
    ledger.record(plan("p/late", parent="p", required=False, id="my-own-id"))
    ledger.cancel("p", actor="bob", reason="wrong host")
    for n in range(3):
        ledger.record({"job": f"p/{n}", "event": "cancelled", "raw": "ABORTED ☃"})
    ledger.lose("p/late", {"asked": "agent"})
    ledger.resolve("p/late", "failed", {"log": "disk full"})
    ledger.hold("p")
    ledger.record({"event": "owner_started", "owner": "engine", "epoch": 1})

    exported = run("export")

    assert exported.code == 0
    records = [json.loads(line) for line in exported.out.splitlines()]
    assert len(records) == ledger.position()
    assert [record["id"] for record in records if "id" in record] == ["my-own-id"]
    again = run("import", "-", "-o", "json", stdin=exported.out)
    assert json.loads(again.out)["recorded"] == 0
    with assemble(second) as other:
        other.import_records(line.encode() for line in exported.out.splitlines())
        assert list(transcribe(other.events())) == records
        mine, theirs = ledger.job("p").as_json(), other.job("p").as_json()
        assert {**mine, "position": 0} == {**theirs, "position": 0}
