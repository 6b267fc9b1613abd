import json
from pathlib import Path

from tests.service.cli.conftest import Run, plan


def test_a_bad_line_never_stops_an_import(run: Run, tmp_path: Path) -> None:
    lines = [
        json.dumps(plan("a")),
        "not json",
        json.dumps({"job": "never", "event": "started"}),
        json.dumps(plan("b", colour="red")),
        "",
        json.dumps({"job": "a", "event": "succeeded", "at": "2026-01-02T03:05:00Z"}),
        json.dumps({"job": "a", "event": "failed", "at": "2026-01-02T03:06:00Z"}),
    ]
    source, rejects = tmp_path / "records.jsonl", tmp_path / "rejects.jsonl"
    source.write_text("\n".join(lines) + "\n")

    done = run("import", str(source), "--rejects", str(rejects), "-o", "json")

    assert done.code == 1
    assert json.loads(done.out) == {
        "read": 6, "recorded": 2, "unchanged": 0, "late": 1, "rejected": 3, "overlaps": 0, "position": 3,
    }  # fmt: skip
    said = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(entry["line"], entry["code"]) for entry in said] == [
        (2, "malformed_record"),
        (3, "job_not_found"),
        (4, "malformed_record"),
    ]
    assert said[0]["record"] == "not json"
    assert all(entry["message"] for entry in said)


def test_no_output_goes_over_what_is_read(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "records"
    source.write_text(json.dumps(plan("a")))

    for words in (("--rejects", str(source)), ("--overlaps", str(source)), ("--admit", "--overlaps", "x")):
        assert run("import", str(source), *words).code == 2
    assert source.read_text() == json.dumps(plan("a"))
