"""What the README says of a backup that is older than what was acknowledged, and of a key that is lost, by commands."""

import json
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.service.cli.conftest import Ran, environment, execute


class Machine:
    """Whoever runs the ledger from a machine with the key on it."""

    def __init__(self, superuser: str, folder: Path) -> None:
        self.key = folder / "key" / "seal.key"
        self._env = environment(superuser, JOBLEDGER_KEY=str(self.key))

    def __call__(self, *words: str) -> Ran:
        return execute(words, "", self._env)

    def plan(self, job: str) -> str:
        """Put a job on record; its cursor."""
        done = self("record", json.dumps({"job": job, "event": "planned", "type": "T"}))
        return str(json.loads(done.out)["cursor"])

    @property
    def public(self) -> str:
        """The public half."""
        return self.key.with_name("seal.key.pub").read_text().strip()


@pytest.fixture
def machine(superuser: str, tmp_path: Path) -> Machine:
    return Machine(superuser, tmp_path)


def _back_up(server: str, superuser: str) -> None:
    name = conninfo_to_dict(superuser)["dbname"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}_backup TEMPLATE {name}")


def _bring_back(server: str, superuser: str) -> None:
    name = conninfo_to_dict(superuser)["dbname"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.execute(f"ALTER DATABASE {name}_backup RENAME TO {name}")


@pytest.mark.parametrize("grown", [0, 1, 5])
def test_what_is_gone_is_told_and_the_same_key_goes_on(
    server: str, superuser: str, machine: Machine, tmp_path: Path, grown: int
) -> None:
    """However far the ledger grew before anybody looked; once the checkpoint is moved away."""
    machine.plan("a")
    assert machine("seal").code == 0
    public = machine.public
    _back_up(server, superuser)
    lost = [machine.plan(job) for job in "bc"]
    assert machine("seal").code == 0

    _bring_back(server, superuser)
    for number in range(grown):
        machine.plan(f"new{number}")

    assert machine("watch", "--after", lost[-1]).code == 6
    told = machine("lost", *lost)
    assert (told.code, [cursor in told.out for cursor in lost]) == (6, [True, True])
    found = machine("verify", "-o", "json")
    assert (found.code, json.loads(found.out)["findings"][0]["kind"]) == (6, "went_back")
    assert machine("seal").code == 6

    evidence = tmp_path / "evidence"
    machine.key.with_name("seal.key.checkpoint").rename(evidence)
    sealed = machine("seal", "-o", "json")
    assert (sealed.code, json.loads(sealed.out)["size"]) == (0, 1 + grown)
    assert machine.public == public
    assert machine("verify").code == 0
    assert machine("verify", "--checkpoint", str(evidence)).code == 6

    assert machine("lost", *lost, "--accept", "--reason", "the disk is gone").code == 0
    assert machine("seal").code == 0
    assert machine("verify").code == 0


def test_a_lost_key_is_followed_by_a_new_one(machine: Machine, tmp_path: Path) -> None:
    """Whoever verifies needs both public halves: nobody who trusts one of them is led to the other."""
    machine.plan("a")
    assert machine("seal").code == 0
    old = machine.public
    machine.key.parent.rename(tmp_path / "gone with its machine")
    machine.plan("b")

    for words in (("seal",), ("seal", "--rotate")):
        refused = machine(*words)
        assert (refused.code, "jobledger seal --replace-lost-key" in refused.err) == (2, True)
    assert machine("seal", "--replace-lost-key").code == 0
    new = machine.public

    assert machine("verify", "--key", old).code == machine("verify", "--key", new).code == 6
    assert machine("verify", "--key", old, "--key", new).code == 0
    keys = tmp_path / "keys"
    keys.write_text(f"{old}\n{new}\n")
    assert machine("verify", "--key", str(keys)).code == 0
    machine.plan("c")
    assert machine("seal").code == 0
    assert machine("verify", "--key", str(keys)).code == 0
