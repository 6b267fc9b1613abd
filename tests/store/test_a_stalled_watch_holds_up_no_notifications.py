import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from ledger.application import Ledger
from ledger.store import feed
from ledger.store.diagnosis import Diagnosis
from tests.store.controls import look_at

COMMAND = "from ledger.service.cli import main; main()"
FOLLOWS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND query LIKE '%%notification_id >%%'"


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def _doctor(admin: psycopg.Connection[DictRow]) -> Diagnosis:
    return {finding.code: finding for finding in look_at(admin)}["notifications"]


def _fill(admin: psycopg.Connection[DictRow], kilobytes: int = 800) -> None:
    """Notify of that much, as appends do, if there were some hundred thousands of them."""
    admin.execute(
        "SELECT pg_notify('stored_events', repeat('x', 7000) || n) FROM generate_series(1, %s) AS n", (kilobytes // 7,)
    )


def _used(admin: psycopg.Connection[Any]) -> float:
    return float(admin.execute("SELECT pg_notification_queue_usage() AS used").fetchall()[0]["used"])


def test_a_stopped_watch_holds_up_nothing(
    conninfo: str, ledger: Ledger, admin: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is notified of while it stands still is forgotten at once, and awake again it tells what was recorded."""
    ledger.plan("T", job="a")
    with subprocess.Popen(
        (sys.executable, "-c", COMMAND, "watch", "a", "-o", "jsonl"),
        env={**os.environ, "JOBLEDGER_DSN": conninfo, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as watch:
        try:
            while not (found := admin.execute(FOLLOWS, (f"jobledger/{watch.pid}@%",)).fetchall()):
                assert watch.poll() is None
            os.kill(watch.pid, signal.SIGSTOP)
            _fill(admin)
            assert _used(admin) == 0
            ledger.succeed("a")

            # As after a minute: the server has let its connection go.
            admin.execute("SELECT pg_terminate_backend(%s)", (found[0]["pid"],))
            os.kill(watch.pid, signal.SIGCONT)
            told, _ = watch.communicate(timeout=60)
            assert [line.partition('"event":"')[2].partition('"')[0] for line in told.splitlines()] == [
                "planned",
                "succeeded",
            ]
            assert watch.returncode == 0
        finally:
            watch.kill()


def test_the_server_lets_a_reader_go_that_asks_nothing(
    ledger: Ledger, admin: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stands still between two events; and when it goes on, it goes on from where it was."""
    monkeypatch.setattr(feed, "IDLE_SECONDS_MAX", 1)
    ledger.plan("T", job="a")
    seen = ledger.watch(0)
    assert next(seen).position == 1
    mine = (f"jobledger/{os.getpid()}@%",)
    assert len(admin.execute(FOLLOWS, mine).fetchall()) == 1
    while admin.execute(FOLLOWS, mine).fetchall():
        pass
    ledger.plan("T", job="b")
    assert next(seen).position == 2


def test_news_are_looked_for_ten_times_a_second(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only where there was none for a while, which is said each second, and here once."""
    assert feed.LOOK_SECONDS == 0.1
    monkeypatch.setattr(feed, "TELL_SECONDS", 600.0)
    ledger.plan("T", job="a")
    seen = ledger._feed.follow(1)
    assert next(seen) is None
    ledger.succeed("a")
    coming = next(seen)
    assert coming is not None
    assert coming.position == 2


def test_doctor_shows_the_queue_and_names_the_oldest_listener(
    superuser: str, admin: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that do not read, the one that has listened longer; a queue that fills is a warning."""
    assert _doctor(admin).level == "ok"
    assert "nobody is seen to listen" in _doctor(admin).sentence
    with (
        psycopg.connect(superuser, autocommit=True, application_name="older") as older,
        psycopg.connect(superuser, autocommit=True, application_name="newer") as newer,
    ):
        older.execute("LISTEN stored_events")
        newer.execute("LISTEN stored_events")
        found = _doctor(admin)
        assert found.level == "ok"
        assert f"the oldest listener is process {older.info.backend_pid} (older, as postgres in " in found.sentence
        assert "0.0% full" in found.sentence
        monkeypatch.setattr("ledger.store.doctor.QUEUE_SHARE_MAX", 1e-9)
        older.execute("BEGIN")  # it reads nothing until its transaction ends
        _fill(admin)
        assert _used(admin) > 0
        assert _doctor(admin).level == "warning"
        older.execute("COMMIT")
