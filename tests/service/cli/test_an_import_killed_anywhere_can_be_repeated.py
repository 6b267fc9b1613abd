import json
import random
import subprocess
from pathlib import Path

from ledger.application import Ledger
from ledger.records.transcript import transcribe
from ledger.service.assembly import assemble
from tests.service.cli.conftest import COMMAND, environment, plan

JOBS = 1_500
KILLS = 4


def _records() -> list[str]:
    said = []
    for n in range(JOBS):
        job = f"job-{n:04}"
        child = {"job": f"{job}/part", "type": "Part"}
        said.append(plan(job, entities=[{"type": "vm", "id": f"vm-{n}"}], children=[child], end_action="auto"))
        said.append({"job": f"{job}/part", "event": "started", "executor": "e", "external_id": f"x-{n}"})
        said.append({"job": f"{job}/part", "event": "progressed", "percent": 50})
        said.append({"job": f"{job}/part", "event": "succeeded" if n % 3 else "failed"})
    return [json.dumps({"at": "2026-01-02T03:04:05Z"} | entry) for entry in said]


def _kill_when_at(conninfo: str, source: Path, ledger: Ledger, position: int) -> None:
    process = subprocess.Popen((*COMMAND, "import", str(source)), env=environment(conninfo), stdout=subprocess.DEVNULL)
    while ledger.position() < position and process.poll() is None:
        pass
    process.kill()
    process.wait()


def _content(ledger: Ledger) -> dict[str, list[str]]:
    jobs: dict[str, list[str]] = {}
    for record in transcribe(ledger.events()):
        jobs.setdefault(record["job"], []).append(json.dumps(record, sort_keys=True))
    return jobs


def test_an_import_killed_anywhere_can_be_repeated(conninfo: str, ledger: Ledger, second: str, tmp_path: Path) -> None:
    source = tmp_path / "records.jsonl"
    source.write_text("\n".join(_records()) + "\n")
    chance = random.Random(7)
    for position in sorted(chance.sample(range(1, JOBS * 5), KILLS)):
        _kill_when_at(conninfo, source, ledger, position)

    with source.open("rb") as lines:
        ledger.import_records(lines)
    with assemble(second) as undisturbed, source.open("rb") as lines:
        summary = undisturbed.import_records(lines)

        assert summary.recorded == ledger.position() == JOBS * 6
        assert _content(ledger) == _content(undisturbed)
