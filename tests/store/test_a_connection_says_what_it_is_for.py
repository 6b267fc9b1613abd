import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from ledger import process
from ledger.service.assembly import assemble

NAMES = (
    "SELECT application_name AS name FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query_start >= %s"
)
COMMAND = "from ledger.service.cli import main; main()"


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def _names(admin: psycopg.Connection[DictRow], since: object = "-infinity") -> set[str]:
    """What the connections are called that were used since a time."""
    return {row["name"] for row in admin.execute(NAMES, (since,)).fetchall()}


def _now(admin: psycopg.Connection[DictRow]) -> object:
    return admin.execute("SELECT clock_timestamp() AS now").fetchall()[0]["now"]


def test_it_says_the_command(conninfo: str, admin: psycopg.Connection[DictRow]) -> None:
    with subprocess.Popen(
        (sys.executable, "-c", COMMAND, "watch"),
        env={**os.environ, "JOBLEDGER_DSN": conninfo},
        stdout=subprocess.DEVNULL,
    ) as watch:
        try:
            while not any(
                name.startswith(f"jobledger/{watch.pid}@") and name.endswith(" watch") for name in _names(admin)
            ):
                assert watch.poll() is None
        finally:
            watch.kill()


def test_it_says_the_owner_while_one_speaks(conninfo: str, admin: psycopg.Connection[DictRow]) -> None:
    """Each of them: what appends, what answers, what follows; those that were there before too."""
    with assemble(conninfo) as ledger:
        ledger.plan("T", job="a")
        seen = ledger.watch(0)
        assert next(seen).position == 1
        with ledger.start_owner("engine-1") as engine:
            began = _now(admin)
            engine.plan("T", job="b")
            assert not engine.busy("vm/v").busy
            assert [next(seen).position, next(seen).position] == [2, 3]
            assert {name.partition(" ")[2] for name in _names(admin, began)} == {"engine-1"}
        ended = _now(admin)
        ledger.plan("T", job="c")
        assert not ledger.busy("vm/v").busy
        assert next(seen).position == 4
        assert {name.partition(" ")[2] for name in _names(admin, ended)} == {""}


@pytest.mark.parametrize("speaker", ["", "e", "engine-" * 20, "größe\n\x00☃"])
def test_a_name_has_room_and_letters_that_the_server_knows(speaker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "host." * 50)
    with process.running("watch"):
        name = process.name(speaker)
    assert len(name.encode()) <= 63
    assert name.isascii()
    assert name.isprintable()
    assert f" watch {speaker[:1]}".rstrip() in name
    assert name.startswith(f"jobledger/{os.getpid()}@host.")


def test_a_name_that_was_given_stands(
    conninfo: str, admin: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the conninfo, the environment or a service, whoever speaks."""
    services = tmp_path / "services"
    services.write_text("[ledger]\napplication_name=of-the-service\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    for said, name in (
        ({"application_name": "mine"}, "mine"),
        ({"fallback_application_name": "mine too"}, "mine too"),
        ({"service": "ledger"}, "of-the-service"),
        ({}, "of-the-environment"),
    ):
        if not said:
            monkeypatch.setenv("PGAPPNAME", name)
        with assemble(make_conninfo(conninfo, **said)) as ledger, ledger.start_owner(f"engine {name}") as engine:
            engine.plan("T")
            assert not engine.busy("vm/v").busy
            assert _names(admin) == {name}
