"""The commands of the README, word for word, in a shell."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.embedded.binaries import binaries
from ledger.service.readiness import WRITER, migrator
from tests.conftest import _database
from tests.readme import blocks
from tests.service.cli.conftest import COMMAND, environment, execute

SECTION = "Back up, restore, move, fail over"
NEW = "restored"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The conninfo of a server on which there was never a ledger."""
    server = EmbeddedServer(tmp_path / "elsewhere")
    server.start()
    try:
        yield server.conninfo("postgres")
    finally:
        server.stop()


@pytest.fixture
def superuser(behind: str) -> Iterator[str]:
    """A superuser's conninfo of a ledger on a server of the release that the programs are of."""
    with _database(behind, "template0") as conninfo:
        migrator().migrate(conninfo)
        yield conninfo


@pytest.fixture
def told(superuser: str, tmp_path: Path) -> dict[str, str]:
    """The environment of whoever runs a ledger that is sealed."""
    with assemble(make_conninfo(superuser, options=WRITER)) as ledger:
        ledger.plan("T", job="a", actor="alice", entities=[{"type": "vm", "id": "1"}])
    env = environment(superuser, JOBLEDGER_KEY=str(tmp_path / "seal.key"))
    assert execute(("seal",), "", env).code == 0
    return env


def _type(
    words: str, folder: Path, env: dict[str, str], onto: str, *, stop: bool
) -> "subprocess.CompletedProcess[str]":
    """Type this in a shell of somebody for whom commands go to a server; `stop` at the first that fails."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "jobledger").write_text(f"#!/bin/sh\nexec '{COMMAND[0]}' -c '{COMMAND[2]}' \"$@\"\n")
    (programs / "jobledger").chmod(0o755)
    place = {f"PG{key.upper()}": str(value) for key, value in conninfo_to_dict(onto).items() if key != "dbname"}
    path = os.pathsep.join((str(programs), str(binaries()), env["PATH"]))
    env = env | place | {"PATH": path}
    how = ("bash", "-e") if stop else ("bash",)
    return subprocess.run(how, input=words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def _works(conninfo: str) -> None:
    with assemble(make_conninfo(conninfo, dbname=NEW, options=WRITER)) as ledger:
        assert [job.job for job in ledger.busy("vm/1").jobs] == ["a"]
        assert ledger.plan("T", job="b").position == 2


def test_on_a_server_that_has_the_roles_nothing_is_left_to_do(
    told: dict[str, str], behind: str, tmp_path: Path
) -> None:
    (words, *_) = blocks("sh", SECTION)
    done = _type(words, tmp_path, told, behind, stop=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The database is of this release already." in done.stdout
    assert "Positions 1 to 1 are what was sealed" in done.stdout
    _works(behind)


def test_on_a_server_without_roles_the_last_line_says_that_all_is_well(
    told: dict[str, str], elsewhere: str, tmp_path: Path
) -> None:
    """Memberships are no part of a dump: who may write has to be told so anew."""
    (words, *_) = blocks("sh", SECTION)
    done = _type(words, tmp_path, told, elsewhere, stop=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert 'role "jobledger_writer" does not exist' in done.stderr
    assert "Positions 1 to 1 are what was sealed" in done.stdout
    with psycopg.connect(elsewhere, autocommit=True) as admin:
        admin.execute("CREATE ROLE app LOGIN")
        admin.execute("GRANT jobledger_writer TO app")
    _works(make_conninfo(elsewhere, user="app"))


def test_of_the_events_alone_the_views_are_made_anew(superuser: str, elsewhere: str, told: dict[str, str]) -> None:
    """As the row of the table has it."""
    program = binaries() / "pg_dump"
    dumped = subprocess.run((program, "-Fc", superuser), capture_output=True, check=True).stdout
    with psycopg.connect(elsewhere, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NEW} TEMPLATE template0 ENCODING 'UTF8'")
    into = make_conninfo(elsewhere, dbname=NEW)
    with psycopg.connect(into, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA ledger")
    subprocess.run((binaries() / "pg_restore", "--schema=ledger", "-d", into), input=dumped, check=False)

    assert execute(("migrate",), "", told | {"JOBLEDGER_DSN": into}).code == 0
    _works(elsewhere)
    for words in (("doctor",), ("projections", "compare"), ("verify",)):
        done = execute(words, "", told | {"JOBLEDGER_DSN": into})
        assert done.code == 0, done
