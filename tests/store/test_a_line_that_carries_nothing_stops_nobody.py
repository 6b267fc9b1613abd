import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.errors import DatabaseAway, Unavailable, WaitTimedOut
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator
from ledger.store import silence
from ledger.store.connection import Bounded
from ledger.store.datastore import Datastore
from tests.store.controls import rows
from tests.store.proxy import Proxy

COMMITTED = b"Z\x00\x00\x00\x05I"  # the message by which the server tells that it is idle
LATE_SECONDS_MAX = 2.0


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "LOOK_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(silence, "LOOK_AGAIN_SECONDS", 0.1)


def _plan(ledger: Ledger, job: str) -> str:
    return str(ledger.plan("T", job=job).disposition)


@pytest.mark.parametrize("swallowed", [b"INSERT INTO ledger.stored_events", b"COMMIT", COMMITTED])
def test_an_append_whose_line_carries_nothing_any_more_is_answered_truly(
    conninfo: str, superuser: str, swallowed: bytes
) -> None:
    """What was said, or what was answered, is lost without a word: it is found out, and each event is there once."""
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        assert _plan(ledger, "first") == "recorded"
        proxy.swallow_on = swallowed

        assert _plan(ledger, "second") == "recorded"
        assert proxy.swallow_on is None
        with psycopg.connect(superuser) as connection:
            assert [row["originator_id"] for row in rows(connection)] == ["job:first", "job:second"]


def test_a_question_whose_connection_carries_nothing_any_more_ends(conninfo: str) -> None:
    """And another caller is not stopped by it meanwhile."""
    with Proxy(conninfo) as proxy, Datastore(proxy.conninfo) as datastore:
        with datastore.connection() as connection:
            connection.execute("SELECT 1")
        proxy.swallow_on = b"SELECT 2"
        asked = threading.Event()
        ended: list[Exception] = []

        def ask() -> None:
            try:
                with datastore.connection() as connection:
                    asked.set()
                    connection.execute("SELECT 2")
            except DatabaseAway as error:
                ended.append(error)

        caller = threading.Thread(target=ask)
        caller.start()
        asked.wait()
        with datastore.connection() as connection:
            assert connection.execute("SELECT 3 AS three").fetchall() == [{"three": 3}]
        caller.join()
        assert "waits for none of ours" in str(ended[0])


def test_what_takes_long_is_waited_for(conninfo: str, superuser: str) -> None:
    """A server at work, and one that waits for a lock, are looked at again and again, and not given up."""
    with Datastore(conninfo) as datastore, datastore.connection() as connection:
        assert connection.execute("SELECT pg_sleep(1.5), 1 AS one").fetchall()[0]["one"] == 1
        with psycopg.connect(superuser, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(7)")
            timer = threading.Timer(1.5, other.execute, ("SELECT pg_advisory_unlock(7)",))
            timer.start()
            connection.execute("SELECT pg_advisory_lock(7)")
            timer.join()


def test_a_server_that_takes_no_connection_either_is_given_up(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.append_lock.LOOK_SECONDS_MAX", 0.3)
    monkeypatch.setattr("ledger.store.connection.CONNECT_SECONDS_MAX", 2)
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        assert _plan(ledger, "first") == "recorded"
        proxy.silent = True
        with pytest.raises(Unavailable):
            _plan(ledger, "second")
        proxy.silent = False
        assert _plan(ledger, "second") == "recorded"


@pytest.mark.parametrize("trouble", ["silent", "unreachable"])
def test_a_wait_ends_in_time_whatever_the_network_does(conninfo: str, trouble: str) -> None:
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        ledger.plan("T", job="a")
        ended: list[float] = []

        def wait() -> None:
            with pytest.raises(WaitTimedOut):
                ledger.wait("a", 1.5)
            ended.append(time.monotonic())

        began = time.monotonic()
        caller = threading.Thread(target=wait)
        caller.start()
        while proxy.chunks < 60 and caller.is_alive():  # it follows
            pass
        if trouble == "silent":
            proxy.silent = True
        else:
            proxy.reachable = False
            proxy.hang_up()
        caller.join()
        assert 1.5 <= ended[0] - began < 1.5 + LATE_SECONDS_MAX
        proxy.silent, proxy.reachable = False, True
        assert ledger.succeed("a").position == 2
        assert ledger.wait("a", 5).ok


def test_a_wait_that_begins_without_a_network_ends_in_time(conninfo: str) -> None:
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        proxy.silent = True
        began = time.monotonic()
        with pytest.raises(WaitTimedOut):
            ledger.wait("a", 0.5)
        assert time.monotonic() - began < 0.5 + LATE_SECONDS_MAX


def test_after_an_outage_the_first_who_asks_is_served(conninfo: str) -> None:
    """Nothing waits longer and longer before it connects again."""
    with Proxy(conninfo) as proxy, Datastore(proxy.conninfo) as datastore:
        with datastore.connection() as connection:
            connection.execute("SELECT 1")
        proxy.reachable = False
        proxy.hang_up()
        for _ in range(5):
            with pytest.raises(DatabaseAway), datastore.connection() as connection:
                connection.execute("SELECT 1")
        proxy.reachable = True
        with datastore.connection() as connection:
            assert connection.execute("SELECT 1 AS one").fetchall() == [{"one": 1}]


def test_connections_are_handed_out_again_unless_something_is_left_on_them(conninfo: str) -> None:
    """A transaction that is open, or a channel that is listened to, goes with its connection."""
    with Datastore(conninfo) as datastore:

        def pid() -> int:
            with datastore.connection() as connection:
                return connection.info.backend_pid

        first = pid()
        assert pid() == first
        with datastore.connection() as connection:
            connection.autocommit = False
            connection.execute("SELECT 1")
        second = pid()
        assert second != first
        with datastore.connection() as connection:
            assert isinstance(connection, Bounded)
            connection.execute("LISTEN stored_events")
            list(connection.notifies(timeout=0))
        assert pid() != second


def test_no_more_connections_are_out_than_the_pool_has(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds none waits for one, and makes one of its own only after a while."""
    with Datastore(conninfo, pool_size=1, max_overflow=0) as datastore:
        monkeypatch.setattr(datastore.pool, "_wait_seconds", 60.0)
        out, back = threading.Event(), threading.Event()
        pids: list[int] = []

        def hold() -> None:
            with datastore.connection() as connection:
                pids.append(connection.info.backend_pid)
                out.set()
                back.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        out.wait()
        asker = threading.Thread(target=hold)
        asker.start()
        back.set()
        holder.join()
        asker.join()
        assert pids[0] == pids[1]


def test_a_wait_ends_in_time_where_the_server_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its system still answers for it, so that no keepalive finds anything; an append has an end there too."""
    monkeypatch.setattr("ledger.store.append_lock.LOOK_SECONDS_MAX", 0.3)
    monkeypatch.setattr("ledger.store.connection.CONNECT_SECONDS_MAX", 2)
    server = EmbeddedServer(tmp_path)
    server.start()
    stopped: list[int] = []
    try:
        migrator().migrate(server.conninfo())
        with assemble(make_conninfo(server.conninfo(), options=WRITER)) as ledger:
            ledger.plan("T", job="a")
            with psycopg.connect(server.conninfo(), autocommit=True) as admin:
                stopped += [row[0] for row in admin.execute("SELECT pid FROM pg_stat_activity").fetchall()]
            stopped.insert(0, server.status().pid or 0)
            _signal(stopped, signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(WaitTimedOut):
                ledger.wait("a", 0.5)
            assert time.monotonic() - began < 0.5 + LATE_SECONDS_MAX
            with pytest.raises(Unavailable):
                _plan(ledger, "b")
            _signal(stopped, signal.SIGCONT)
            assert _plan(ledger, "b") == "recorded"
    finally:
        _signal(stopped, signal.SIGCONT)
        server.stop()


def _signal(processes: list[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
