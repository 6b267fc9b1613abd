"""PgBouncer answers who connects, and lets the first question wait until a session is free."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.service.assembly import assemble, open_ledger
from ledger.store import silence
from ledger.store.datastore import Datastore
from tests.store.bouncer import bouncer, needs_pgbouncer

pytestmark = needs_pgbouncer

SESSIONS, THREADS, ROUNDS = 4, 8, 15
WORK = f"""
import json, sys, threading
from ledger import open_ledger
from ledger.errors import LedgerError

dsn, who = sys.argv[1:]
heard = []

def work(ledger, thread):
    for number in range({ROUNDS}):
        job = f"{{who}}-{{thread}}-{{number}}"
        try:
            ledger.plan("T", job=job, entities=[{{"type": "vm", "id": job}}])
            assert ledger.busy(f"vm/{{job}}").busy
            ledger.succeed(job)
            assert ledger.wait(job, 30).ok
        except LedgerError as error:
            heard.append(f"{{type(error).__name__}}: {{error}}")

with open_ledger(dsn) as ledger:
    threads = [threading.Thread(target=work, args=(ledger, thread)) for thread in range({THREADS})]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(json.dumps(heard))
"""


def _ask(datastore: Datastore) -> None:
    with datastore.connection() as connection:
        connection.execute("SELECT 1")


def _take_all(datastore: Datastore) -> None:
    with ExitStack() as stack:
        for _ in range(SESSIONS):
            stack.enter_context(datastore.connection())


def _live(ledger: Ledger) -> None:
    ledger.plan("T", job="a", entities=[{"type": "vm", "id": "v"}])
    assert ledger.busy("vm/v").busy
    ledger.succeed("a")
    assert ledger.wait("a", 30).ok


def _meanwhile(work: Callable[[], None]) -> tuple[threading.Thread, list[BaseException]]:
    heard: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - it is looked at
            heard.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, heard


def test_two_processes_that_want_more_than_there_are(behind: str, tmp_path: Path) -> None:
    """Each appends, asks and waits in eight threads: nobody hears of it, and nothing is lost."""
    with bouncer(behind, tmp_path, "session", SESSIONS) as conninfo:
        processes = [
            subprocess.Popen((sys.executable, "-c", WORK, conninfo, who), stdout=subprocess.PIPE, text=True)
            for who in ("a", "b")
        ]
        assert [json.loads(process.communicate()[0]) for process in processes] == [[], []]
    with assemble(behind) as ledger:
        assert ledger.position() == 2 * 2 * THREADS * ROUNDS


def test_one_session_serves_each_kind_in_its_turn(behind: str, tmp_path: Path) -> None:
    with bouncer(behind, tmp_path, "session", 1) as conninfo, assemble(conninfo) as ledger:
        ledger.plan("T", job="one", entities=[{"type": "vm", "id": "one"}])
        assert ledger.busy("vm/one").busy
        ledger.succeed("one")


def test_a_process_that_stands_still_gives_back_what_it_has(behind: str, tmp_path: Path) -> None:
    """The first is not closed, and does nothing."""
    with bouncer(behind, tmp_path, "session", SESSIONS) as conninfo, Datastore(conninfo) as first:
        _take_all(first)
        with open_ledger(conninfo) as second:
            _live(second)
        _ask(first)


def test_a_process_at_work_gives_back_what_another_waits_for(behind: str, tmp_path: Path) -> None:
    """The first is never idle, and hears nothing of it."""
    with bouncer(behind, tmp_path, "session", SESSIONS) as conninfo, Datastore(conninfo) as first:
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                _ask(first)

        _take_all(first)
        working = [_meanwhile(work) for _ in range(THREADS)]
        try:
            with open_ledger(conninfo) as second:
                second.plan("T", job="b", entities=[{"type": "vm", "id": "w"}])
                assert second.busy("vm/w").busy
        finally:
            over.set()
            for thread, _ in working:
                thread.join()
        assert [heard for _, heard in working] == [[]] * THREADS


def test_what_takes_long_is_not_given_up_since_no_session_is_free_to_look(
    behind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "LOOK_AFTER_SECONDS", 0.3)
    monkeypatch.setattr("ledger.store.append_lock.LOOK_SECONDS_MAX", 0.2)
    with (
        bouncer(behind, tmp_path, "session", 1) as conninfo,
        Datastore(conninfo) as datastore,
        datastore.connection() as connection,
    ):
        assert connection.execute("SELECT 1 AS one FROM pg_sleep(2)").fetchall()[0]["one"] == 1
        monkeypatch.setattr(silence, "UNSERVED_MAX", 3)
        with pytest.raises(psycopg.OperationalError, match="no other connection is taken"):
            connection.execute("SELECT pg_sleep(60)")
