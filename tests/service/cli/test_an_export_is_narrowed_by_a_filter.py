import json
from pathlib import Path

from ledger.application import Ledger
from tests.service.cli.conftest import Run, environment


def _lines(text: str) -> list[tuple[str, str]]:
    return [(record["job"], record["event"]) for record in map(json.loads, text.splitlines()) if "event" in record]


def test_the_records_are_those_that_history_finds(run: Run, ledger: Ledger) -> None:
    for n in range(3):
        ledger.plan("Build" if n else "Test", job=f"j{n}", actor="alice")
        ledger.fail(f"j{n}", {"code": "E"}, actor="bob")

    assert _lines(run("export", "type:Build actor:bob").out) == [("j1", "failed"), ("j2", "failed")]
    assert _lines(run("export", "type:Build", "--after", "4", "--upto", "5").out) == [("j2", "planned")]
    assert _lines(run("export", "type:Build", "--job", "j1").out) == [("j1", "planned"), ("j1", "failed")]
    assert run("export", "kind:Build").code == 2


def test_a_selection_is_proved_and_says_what_it_is(run: Run, ledger: Ledger, superuser: str, tmp_path: Path) -> None:
    for n in range(20):
        ledger.plan("Build" if n % 2 else "Test", job=f"j{n}")
    env = environment(superuser, JOBLEDGER_KEY=str(tmp_path / "seal.key"))
    assert run("seal", env=env).code == 0

    assert run("export", "type:Build", "--to", str(tmp_path / "some.jsonl"), env=env).code == 0

    text = (tmp_path / "some.jsonl").read_text(encoding="utf-8")
    assert _lines(text) == [(f"j{n}", "planned") for n in range(1, 20, 2)]
    assert json.loads(text.splitlines()[0])["selection"] == "type:Build"
    public = (tmp_path / "seal.key.pub").read_text(encoding="utf-8").strip()
    assert run("verify-export", str(tmp_path / "some.jsonl"), "--key", public).code == 0
