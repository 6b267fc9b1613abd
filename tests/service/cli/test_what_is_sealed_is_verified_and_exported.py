import gzip
import json
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.service.assembly import assemble
from tests.service.cli.conftest import Ran, Run, environment, plan


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    ledger.record(plan("p", children=[{"job": "p/1", "type": "Part"}], end_action="auto"))
    ledger.record({"job": "p/1", "event": "succeeded"})
    ledger.record(plan("q"))
    return ledger


@pytest.fixture
def env(superuser: str, tmp_path: Path) -> dict[str, str]:
    return environment(superuser, JOBLEDGER_KEY=str(tmp_path / "seal.key"))


def _json(done: Ran) -> dict[str, object]:
    return dict(json.loads(done.out))


def _alter(superuser: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL")
        connection.execute("UPDATE ledger.stored_events SET state = set_byte(state, 9, 33) WHERE notification_id = 3")


def test_a_seal_prints_a_checkpoint_that_can_be_kept(
    run: Run, told: Ledger, env: dict[str, str], tmp_path: Path
) -> None:
    first = run("seal", env=env)
    assert first.code == 0, first.err
    assert str(tmp_path / "seal.key") in first.err
    kept = tmp_path / "kept"
    kept.write_text(first.out)
    told.cancel("q")
    again = _json(run("seal", "-o", "json", env=env))
    assert (again["events"], again["size"], again["new_key"]) == (1, 6, False)

    assert run("verify", "--checkpoint", str(kept), env=env).code == 0
    extended = run("verify", "--extends", str(kept), "-o", "json", env=env)
    assert extended.code == 0, extended.err
    assert _json(extended)["ok"] is True
    assert run("verify", "--extends", "5", "--checkpoint", "6", env=env).code == 0
    assert run("verify", "--extends", "4", env=env).code == 4
    assert run("verify", "--job", "\udcff", env=env).code == 2


def test_nothing_is_called_proved_where_nothing_was_held_against_a_seal(
    run: Run, told: Ledger, env: dict[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text(run("seal", env=env).out)
    told.cancel("q")
    told.record(plan("late"))

    assert run("verify", "--from", "3", "--to", "2", env=env).code == 2
    for job in ("late", "ghost"):
        done = run("verify", "--job", job, env=env)
        assert (done.code, done.out) == (4, "")
    partly = run("verify", "--job", "q", env=env)
    assert (partly.code, partly.out) == (0, "1 event of q is what was sealed.\n")
    assert "1 event of it came after the checkpoint" in partly.err

    run("seal", env=env)
    older = run("verify", "--checkpoint", str(kept), env=env)
    assert older.code == 0
    assert "2 events came after that checkpoint" in older.err
    assert "2 events of q are what was sealed." in run("verify", "--job", "q", env=env).out


def test_a_checkpoint_and_the_sql_are_exact_whatever_the_terminal_speaks(
    run: Run, told: Ledger, env: dict[str, str], tmp_path: Path
) -> None:
    ascii_alone = env | {"PYTHONIOENCODING": "ascii"}
    kept = tmp_path / "kept"
    kept.write_text(run("seal", env=ascii_alone).out)

    assert run("verify", "--checkpoint", str(kept), env=env).code == 0
    assert run("migrate", "--print", env=ascii_alone).out == run("migrate", "--print", env=env).out


def test_a_verification_says_what_it_found_and_whom_it_trusts(
    run: Run, told: Ledger, env: dict[str, str], superuser: str
) -> None:
    assert run("verify", env=env).code == 4
    run("seal", env=env)
    honest = run("verify", "-o", "json", env=env)
    assert honest.code == 0
    assert _json(honest)["ok"] is True
    assert "the key beside" in run("verify", env=env).err
    alone = {name: value for name, value in env.items() if name != "JOBLEDGER_KEY"}
    assert "keys on record" in run("verify", env=alone).err
    assert run("seal", env=alone).code == 2

    _alter(superuser)

    found = run("verify", "-o", "json", env=env)
    assert found.code == 6
    assert _json(found)["first_bad_position"] == 3
    assert "its state differs" in run("verify", env=env).out
    assert run("verify", "--from", "4", env=env).code == 0
    assert run("verify", "--from", "2", "--to", "3", env=env).code == 6
    assert run("verify", "--job", "p/1", env=env).code == 6
    assert run("verify", "--job", "q", env=env).code == 0


def test_the_events_of_a_job_are_proved_one_by_one(run: Run, told: Ledger, env: dict[str, str]) -> None:
    run("seal", env=env)
    proved = _json(run("verify", "--job", "p/1", "-o", "json", env=env))

    assert proved["ok"] is True
    proofs = proved["proofs"]
    assert isinstance(proofs, list)
    assert [proof["position"] for proof in proofs] == [2, 3]
    assert set(proofs[0]) == {"position", "index", "stored", "leaf", "path"}
    assert run("verify", "--job", "never-was", env=env).code == 4
    assert run("verify", "--job", "q", "--from", "2", env=env).code == 2


def test_an_altered_key_or_checkpoint_file_is_bad_input(
    run: Run, told: Ledger, env: dict[str, str], tmp_path: Path
) -> None:
    run("seal", env=env)
    (tmp_path / "empty").write_text("")
    assert run("verify", "--key", "nonsense+1+2", env=env).code == 2
    assert run("verify", "--key", str(tmp_path / "empty"), env=env).code == 2
    assert run("verify", "--checkpoint", str(tmp_path / "empty"), env=env).code == 2
    assert run("seal", "--rotate", "--follow", env=env).code == 2


def test_a_rotation_is_followed(run: Run, told: Ledger, env: dict[str, str]) -> None:
    key = _json(run("seal", "-o", "json", env=env))["key"]
    rotated = _json(run("seal", "--rotate", "-o", "json", env=env))
    assert rotated["new_key"] is True
    assert rotated["key"] != key
    assert run("verify", "--key", str(key), env=env).code == 0


@pytest.fixture(params=["all.jsonl", "all.jsonl.gz", "folder"])
def to(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where an export is written."""
    return tmp_path / str(request.param)


def test_an_export_with_proofs_is_checked_and_imports_to_the_same_jobs(
    run: Run, told: Ledger, env: dict[str, str], second: str, to: Path
) -> None:
    sealed = _json(run("seal", "-o", "json", env=env))
    done = run("export", "--to", str(to), env=env)
    assert (done.code, done.out) == (0, ""), done.err
    offline = environment(None)
    checked = run("verify-export", str(to), "--key", str(sealed["key"]), "-o", "json", env=offline)
    assert checked.code == 0, checked
    assert _json(checked)["whole"] is True

    file = to / "events.jsonl" if to.is_dir() else to
    data = file.read_bytes()
    lines = (gzip.decompress(data) if to.suffix == ".gz" else data).splitlines()
    assert [json.loads(line)["event"] for line in lines if b'"event":' in line] == [
        json.loads(line)["event"] for line in run("export", env=env).out.splitlines()
    ]
    assert all("event" not in json.loads(line) for line in (lines[0], lines[-1]))
    imported = _json(run("import", str(file), "-o", "json", env=environment(second)))
    assert (imported["read"], imported["recorded"], imported["unchanged"], imported["rejected"]) == (5, 5, 2, 0)
    with assemble(second) as other:
        for job in ("p", "p/1", "q"):
            assert {**other.job(job).as_json(), "position": 0} == {**told.job(job).as_json(), "position": 0}


def test_an_export_that_was_altered_or_is_not_sealed_is_told_by_its_code(
    run: Run, told: Ledger, env: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "all.jsonl"
    run("export", "--to", str(file), env=env)
    assert run("verify-export", str(file)).code == 1
    run("seal", env=env)
    run("export", "--to", str(file), "--job", "q", "--job", "p/1", env=env)
    assert run("verify-export", str(file)).code == 0
    file.write_text(file.read_text().replace('"succeeded"', '"failed"', 1))
    done = run("verify-export", str(file))
    assert done.code == 6
    assert "position 3" in done.out
    file.write_text("{}\n")
    assert run("verify-export", str(file)).code == 6
    assert run("verify-export", str(tmp_path / "never-was")).code == 2
    assert run("import", str(file), env=env).code == 1


def test_a_selection_is_exported(run: Run, told: Ledger, env: dict[str, str]) -> None:
    def jobs(*words: str) -> list[str]:
        return [json.loads(line)["job"] for line in run("export", *words, env=env).out.splitlines()]

    assert jobs() == ["p", "p/1", "p/1", "p", "q"]
    assert jobs("--after", "3") == ["p", "q"]
    assert jobs("--after", "2", "--upto", "4") == ["p/1", "p"]
    assert jobs("--job", "q") == ["q"]
    assert jobs("--job", "p", "--upto", "1") == ["p", "p/1"]
    assert jobs("--job", "never-was") == []


def test_a_follower_seals_until_it_is_stopped(told: Ledger, env: dict[str, str]) -> None:
    import subprocess

    from tests.service.cli.conftest import COMMAND

    words = (*COMMAND, "seal", "--follow", "--every", "0.1", "-o", "json")
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["size"] == 5
            told.plan("T", job="more")
            assert json.loads(process.stdout.readline())["size"] == 6
        finally:
            process.terminate()
