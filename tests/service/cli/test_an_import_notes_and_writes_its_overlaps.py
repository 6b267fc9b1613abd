import json
from pathlib import Path

from tests.service.cli.conftest import Run, on, plan


def test_an_import_notes_and_writes_its_overlaps(run: Run, tmp_path: Path) -> None:
    source, overlaps = tmp_path / "records.jsonl", tmp_path / "overlaps.jsonl"
    source.write_text("".join(json.dumps(plan(job, entities=[on("disk/d-1")])) + "\n" for job in "abc"))

    done = run("import", str(source), "--overlaps", str(overlaps), "-o", "json")

    assert done.code == 0
    assert json.loads(done.out) == {
        "read": 3, "recorded": 3, "unchanged": 0, "late": 0, "rejected": 0, "overlaps": 2, "position": 3,
    }  # fmt: skip
    assert done.err.splitlines() == [
        "line 2: job b runs beside a on disk/d-1",
        "line 3: job c runs beside a on disk/d-1",
        "line 3: job c runs beside b on disk/d-1",
    ]
    assert [json.loads(line) for line in overlaps.read_text().splitlines()] == [
        {"line": 2, "job": "b", "entity": "disk/d-1", "beside": "a"},
        {"line": 3, "job": "c", "entity": "disk/d-1", "beside": "a"},
        {"line": 3, "job": "c", "entity": "disk/d-1", "beside": "b"},
    ]
    again = run("import", str(source), "--overlaps", str(overlaps))
    assert (again.code, again.err, overlaps.read_text()) == (0, "", "")


def test_of_many_overlaps_three_are_noted(run: Run, tmp_path: Path) -> None:
    lines = (json.dumps(plan(f"j{n}", entities=[on("disk/d-1")])) for n in range(5))

    done = run("import", "-", stdin="\n".join(lines))

    assert len(done.err.splitlines()) == 3
    assert "4 overlapping" in done.out
