import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row

from ledger import open_ledger
from ledger.application import Ledger
from ledger.errors import DatabaseAway, NumberOutOfRange, PoolExhausted, WaitTimedOut
from ledger.service.assembly import assemble
from ledger.service.wire import exit_code
from ledger.store import silence
from ledger.store.datastore import Datastore
from tests.store.proxy import Proxy

POOL, THREADS = 5, 24
SESSIONS = (
    "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def _sessions(admin: psycopg.Connection[DictRow]) -> int:
    return int(admin.execute(SESSIONS).fetchall()[0]["count"])


def _each(calls: list[Callable[[], Any]], meanwhile: Callable[[], Any]) -> list[Any]:
    """What each call gives, all at once; `meanwhile` is called again and again until they have."""
    found: list[Any] = []

    def call(one: Callable[[], Any]) -> None:
        try:
            found.append(one())
        except Exception as error:  # noqa: BLE001 - it is looked at
            found.append(error)

    threads = [threading.Thread(target=call, args=(one,)) for one in calls]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        meanwhile()
    return found


def _live(ledger: Ledger, job: str) -> str:
    ledger.plan("T", job=job, entities=[{"type": "vm", "id": job}])
    assert ledger.busy(f"vm/{job}").busy
    with suppress(WaitTimedOut):
        ledger.wait(job, 0.3)
    ledger.succeed(job)
    assert ledger.wait(job, 30).ok
    assert len(ledger.history(job)) == 2
    return job


def test_however_many_threads_ask_wait_and_append(conninfo: str, admin: psycopg.Connection[DictRow]) -> None:
    seen: list[int] = []
    with assemble(conninfo, pool=POOL) as ledger:
        jobs = [f"j{number}" for number in range(THREADS)]
        found = _each([partial(_live, ledger, job) for job in jobs], lambda: seen.append(_sessions(admin)))
    assert sorted(map(str, found)) == sorted(jobs)
    assert 3 <= max(seen) <= POOL


def test_who_asks_why_there_is_silence_is_one_of_them(
    superuser: str, conninfo: str, admin: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One looks at a time, however many wait for a lock that somebody holds."""
    monkeypatch.setattr(silence, "LOOK_AFTER_SECONDS", 0.3)
    seen: list[int] = []
    with assemble(conninfo, pool=8) as ledger, psycopg.connect(superuser) as holder:
        holder.execute("LOCK TABLE projections.running_jobs IN ACCESS EXCLUSIVE MODE")
        until = time.monotonic() + 2

        def look() -> None:
            seen.append(_sessions(admin))
            if time.monotonic() > until:
                holder.rollback()

        found = _each([lambda: ledger.busy("vm/v").busy for _ in range(12)], look)
    assert found == [False] * 12
    assert 7 <= max(seen) <= 8 + 1  # that of the holder


def test_where_none_answers_all_who_wait_give_up_together(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look that is not answered is one for all, else the last would give up after the looks of all others."""
    monkeypatch.setattr(silence, "LOOK_AFTER_SECONDS", 0.3)
    monkeypatch.setattr("ledger.store.append_lock.LOOK_SECONDS_MAX", 0.5)
    with Proxy(conninfo) as proxy, Datastore(proxy.conninfo, max_overflow=7) as datastore:
        out = threading.Barrier(8)

        def ask() -> None:
            with datastore.connection() as connection:
                connection.execute("SELECT 1")
                out.wait()
                proxy.silent = True
                connection.execute("SELECT 2")

        began = len(proxy._open)
        found = _each([ask] * 8, lambda: None)
        assert all(isinstance(error, DatabaseAway) for error in found), found
        assert len(proxy._open) - began - 16 <= 2 * 4  # both ends of each look


def test_who_waits_too_long_for_one_is_told(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.datastore.CONNECT_SECONDS_MAX", 0.2)
    with Datastore(conninfo, max_overflow=0) as datastore, datastore.connection() as first:
        with pytest.raises(PoolExhausted, match="uses 4 connections at most") as told, datastore.connection():
            pass
        assert told.value.facts == {"size": 4, "seconds": 0.2}
        assert exit_code(told.value) == 69
        first.execute("SELECT 1")
    with Datastore(conninfo, max_overflow=0) as datastore, datastore.connection() as again:
        again.execute("SELECT 1")


def test_a_pool_has_room_for_each_kind(conninfo: str) -> None:
    with pytest.raises(NumberOutOfRange, match="A pool must be a whole number from 4"):
        open_ledger(conninfo, pool=3)


@pytest.fixture
def narrow(superuser: str, admin: psycopg.Connection[DictRow]) -> Iterator[str]:
    """The conninfo of a user for whom the server has two connections."""
    name = f"narrow_{conninfo_to_dict(superuser)['dbname']}"
    admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p' CONNECTION LIMIT 2 IN ROLE jobledger_writer")
    yield make_conninfo(superuser, user=name, password="p")
    admin.execute(f"DROP ROLE {name}")


def test_a_server_that_takes_no_more_is_told_as_one(narrow: str) -> None:
    with psycopg.connect(narrow), psycopg.connect(narrow), pytest.raises(DatabaseAway) as told:
        open_ledger(narrow)
    assert "as its CONNECTION LIMIT has it; open ledgers with a smaller pool" in str(told.value)
    assert told.value.facts["sqlstate"] == "53300"


def test_who_is_refused_one_waits_for_one_that_is_there(narrow: str) -> None:
    """As long as the process has one: those that the server gives are shared."""
    with Datastore(narrow) as datastore:
        out = threading.Event()

        def ask() -> int:
            with datastore.connection() as connection:
                out.set()
                return int(connection.execute("SELECT 1 AS one FROM pg_sleep(0.05)").fetchall()[0]["one"])

        assert _each([ask] * 8, lambda: None) == [1] * 8
