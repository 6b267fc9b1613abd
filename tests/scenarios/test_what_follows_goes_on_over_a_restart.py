import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.application import Ledger
from ledger.errors import PositionAhead, SealRefused, WaitTimedOut
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import SEALER, WRITER, migrator
from ledger.store import outage
from ledger.store.connection import connect
from ledger.store.seals import SealTable

FOLLOWS = "notification_id >"
COMMAND = "from ledger.service.cli import main; main()"


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that may be stopped, with a ledger."""
    server = EmbeddedServer(tmp_path / "pg")
    server.start()
    try:
        migrator().migrate(server.conninfo())
        yield server
    finally:
        server.stop()


def _writer(server: EmbeddedServer) -> str:
    return make_conninfo(server.conninfo(), options=WRITER)


def _words(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "ledger"]


def test_a_watch_goes_on_from_where_it_was(own_server: EmbeddedServer, caplog: pytest.LogCaptureFixture) -> None:
    """Over two restarts nothing is missed or told twice; that the database is away and back is told once each."""
    with assemble(_writer(own_server)) as ledger:
        ledger.plan("T", job="a")
        seen = ledger.watch(0)
        assert next(seen).position == 1
        for turn in (2, 3):
            coming: list[int] = []
            follower = threading.Thread(target=lambda to: to.append(next(seen).position), args=(coming,))
            follower.start()
            own_server.stop()
            while sum("once the database is back" in word for word in _words(caplog)) < turn - 1:
                assert follower.is_alive()
            own_server.start()
            ledger.plan("T", job=f"j{turn}")
            follower.join()
            assert coming == [turn]
    words = _words(caplog)
    assert len(words) == 4
    for away, back, place in ((words[0], words[1], 1), (words[2], words[3], 2)):
        assert away.startswith(f"Following goes on from position {place} once the database is back: ")
        assert back == f"Following goes on from position {place}: the database is back."
    assert all(record.levelno == logging.WARNING for record in caplog.records if record.name == "ledger")


def test_a_wait_goes_on(own_server: EmbeddedServer, caplog: pytest.LogCaptureFixture) -> None:
    with assemble(_writer(own_server)) as ledger:
        ledger.plan("T", job="a")
        ended: list[bool | None] = []
        waiter = threading.Thread(target=lambda: ended.append(ledger.wait("a", 120).ok))
        waiter.start()
        own_server.stop()
        while not any("once the database is back" in word for word in _words(caplog)):
            assert waiter.is_alive()
        own_server.start()
        ledger.succeed("a")
        waiter.join()
        assert ended == [True]


def test_a_wait_for_what_never_comes_ends_while_the_database_is_away(own_server: EmbeddedServer) -> None:
    with assemble(_writer(own_server)) as ledger:
        ledger.plan("T", job="a")
        own_server.stop()
        with pytest.raises(WaitTimedOut):
            ledger.wait("a", 0.5)


@pytest.mark.parametrize(
    "words", [("watch", "a", "-o", "jsonl"), ("wait", "a"), ("seal", "--follow", "--every", "0.1")]
)
def test_the_command_goes_on_and_says_so(own_server: EmbeddedServer, words: tuple[str, ...], tmp_path: Path) -> None:
    """Once on stderr that the database is away, once from which position it goes on."""
    environment = {
        **os.environ,
        "JOBLEDGER_DSN": own_server.conninfo() if words[0] == "seal" else _writer(own_server),
        "JOBLEDGER_KEY": str(tmp_path / "seal.key"),
        "PYTHONUNBUFFERED": "1",
    }
    with (
        assemble(_writer(own_server)) as ledger,
        subprocess.Popen(
            (sys.executable, "-c", COMMAND, *words),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as command,
    ):
        try:
            assert command.stderr is not None
            ledger.plan("T", job="a")
            _wait_until_it_follows(own_server, words[0], command)
            own_server.stop()
            away = _line(command.stderr, "once the database is back")
            own_server.start()
            back = _line(command.stderr, "the database is back.")
            assert "from position 1" in away
            assert "from position 1" in back
            ledger.succeed("a")
            if words[0] == "seal":
                assert "1 events sealed, 2 in all" in _line(command.stderr, "2 in all")
            else:
                assert command.wait(60) == 0
        finally:
            command.send_signal(signal.SIGINT)
            command.communicate()


def _line(stream: Any, words: str) -> str:
    while words not in (line := stream.readline()):
        assert line, words
    return str(line)


def _wait_until_it_follows(server: EmbeddedServer, word: str, command: "subprocess.Popen[str]") -> None:
    assert command.stderr is not None
    if word == "seal":
        _line(command.stderr, "1 in all")
        return
    question = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s AND query LIKE '%%notification_id >%%'"
    )
    with psycopg.connect(server.conninfo(), autocommit=True) as admin:
        while admin.execute(question, (f"jobledger/{command.pid}@%",)).fetchall() == [(0,)]:
            assert command.poll() is None


class Deposed:
    """Two databases that change names: the ledger, and what a primary that was deposed still has of it."""

    def __init__(self, superuser: str, server: str) -> None:
        self._server = server
        self._name = str(conninfo_to_dict(superuser)["dbname"])
        self._other = f"{self._name}_stale"

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as admin:
            for name in (self._name, self._other):
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            admin.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))

    def copy(self) -> None:
        self._execute("CREATE DATABASE {} TEMPLATE {}", self._other, self._name)

    def change(self) -> None:
        spare = f"{self._name}_spare"
        for old, new in ((self._name, spare), (self._other, self._name), (spare, self._other)):
            while True:
                try:
                    self._execute("ALTER DATABASE {} RENAME TO {}", old, new)
                    break
                except psycopg.errors.ObjectInUse:  # whoever follows has connected again
                    continue

    def followed(self) -> bool:
        """Whether somebody follows the ledger."""
        question = f"SELECT 1 FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%{FOLLOWS}%%'"
        with psycopg.connect(self._server, autocommit=True) as admin:
            return bool(admin.execute(question, (self._name,)).fetchall())

    def drop(self) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._other)


@pytest.fixture
def deposed(superuser: str, server: str) -> Iterator[Deposed]:
    made = Deposed(superuser, server)
    yield made
    made.drop()


def test_a_stale_primary_that_answers_for_a_moment_ends_no_watch(
    ledger: Ledger, deposed: Deposed, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.plan("T", job="a")
    deposed.copy()
    ledger.plan("T", job="b")
    seen = ledger.watch(0)
    assert [next(seen).position, next(seen).position] == [1, 2]
    coming: list[int] = []
    follower = threading.Thread(target=lambda: coming.append(next(seen).position))
    follower.start()
    deposed.change()
    while not any("which is known here, and has not" in word for word in _words(caplog)):
        assert follower.is_alive()
    deposed.change()
    ledger.plan("T", job="c")
    follower.join()
    assert coming == [3]


def test_a_ledger_that_stays_behind_is_believed_to_have_gone_back(
    ledger: Ledger, deposed: Deposed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a minute is enough for a moment; here less."""
    ledger.plan("T", job="a")
    deposed.copy()
    ledger.plan("T", job="b")
    seen = ledger.watch(0)
    assert [next(seen).position, next(seen).position] == [1, 2]
    monkeypatch.setattr(outage, "STALE_SECONDS_MAX", 0.5)
    deposed.change()
    with pytest.raises(PositionAhead):
        next(seen)


def test_a_stale_primary_that_knows_no_such_job_ends_no_wait(
    ledger: Ledger, deposed: Deposed, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.plan("T", job="a")
    deposed.copy()
    ledger.plan("T", job="b")
    ended: list[bool | None] = []
    waiter = threading.Thread(target=lambda: ended.append(ledger.wait("b", 120).ok))
    waiter.start()
    while not (news := deposed.followed()):
        assert waiter.is_alive(), news
    deposed.change()
    while not any("The wait for job b to close goes on" in word for word in _words(caplog)):
        assert waiter.is_alive()
    deposed.change()
    ledger.succeed("b")
    waiter.join()
    assert ended == [True]


@pytest.mark.parametrize("stays", [False, True])
def test_a_stale_primary_that_answers_for_a_moment_ends_no_sealer(
    *, superuser: str, ledger: Ledger, deposed: Deposed, tmp_path: Path, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stays is believed, and nothing is signed over it."""
    ledger.plan("T", job="a")
    sealer = Sealer(SealTable(lambda: connect(make_conninfo(superuser, options=SEALER))), KeyFile(tmp_path / "key"))
    sealer.seal()
    deposed.copy()
    ledger.plan("T", job="b")
    turns = iter((True, False, *([None] * 1_000)))
    if stays:
        monkeypatch.setattr(outage, "STALE_SECONDS_MAX", 0.3)

    def wait(_: float) -> None:
        turn = next(turns)
        if turn or (turn is False and not stays):  # the stale one comes, and goes
            deposed.change()
            if not turn:
                ledger.plan("T", job="c")

    seen = sealer.follow(0.01, wait)
    assert next(seen).signed.size == 2
    if stays:
        with pytest.raises(SealRefused):
            next(seen)
    else:
        assert next(seen).signed.size == 3
