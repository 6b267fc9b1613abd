"""A further connection is not answered, as by a pooler without a free session or a network that carries nothing new."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ledger.errors import DatabaseAway, PoolExhausted
from ledger.store import pool
from ledger.store.datastore import Datastore
from tests.recovery.facts import until
from tests.store.proxy import Proxy

ROOM, THREADS, ROUNDS = 2, 8, 40


@pytest.fixture
def proxy(conninfo: str) -> Iterator[Proxy]:
    with Proxy(conninfo, ROOM) as opened:
        yield opened


def _ask(datastore: Datastore) -> None:
    with datastore.connection() as connection:
        assert connection.execute("SELECT 1 AS one FROM pg_sleep(0.01)").fetchall()[0]["one"] == 1


def _at_once(work: Callable[[], None]) -> list[Exception]:
    """What threads that do this hear, all at once."""
    heard: list[Exception] = []

    def run() -> None:
        try:
            for _ in range(ROUNDS):
                work()
        except Exception as error:  # noqa: BLE001 - it is looked at
            heard.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return heard


def test_nobody_hears_of_it_and_few_try_again(proxy: Proxy) -> None:
    """Each may have tried once; from then on they know how many there are, and one tries from time to time."""
    with Datastore(proxy.conninfo) as datastore:
        assert _at_once(lambda: _ask(datastore)) == []
        tried = proxy.clients
        assert ROOM < tried < 3 * THREADS
        assert _at_once(lambda: _ask(datastore)) == []
        assert proxy.clients < tried + THREADS


def test_who_finds_all_of_them_in_use_is_told_in_time(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how many there are."""
    monkeypatch.setattr("ledger.store.datastore.CONNECT_SECONDS_MAX", 1)
    with Datastore(proxy.conninfo) as datastore, ExitStack() as stack:
        for _ in range(ROOM):
            stack.enter_context(datastore.connection())
        for _ in range(2):
            with pytest.raises(PoolExhausted, match=f"no more than {ROOM} of 13 connections"), datastore.connection():
                pass


def test_who_waits_gets_one_that_comes_back(proxy: Proxy) -> None:
    """While its own is being made, in vain."""
    with Datastore(proxy.conninfo) as datastore:
        served = threading.Event()

        def ask() -> None:
            _ask(datastore)
            served.set()

        asking = threading.Thread(target=ask)
        with datastore.connection(), datastore.connection():
            asking.start()
            until(lambda: datastore.pool._room == ROOM)
            assert not served.is_set()
        asking.join()
        assert served.is_set()


def test_there_may_be_more_later(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "FULL_SECONDS_MIN", 0.1)
    with Datastore(proxy.conninfo) as datastore:
        assert _at_once(lambda: _ask(datastore)) == []
        proxy.room.release(THREADS)
        wanted = ROOM + 2
        together: Any = threading.Barrier(wanted, timeout=10)

        def meet() -> None:
            with datastore.connection():
                together.wait()

        threads = [threading.Thread(target=meet) for _ in range(wanted)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not together.broken


def test_who_has_none_hears_that_the_database_is_away(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each for itself, not that others have what there is."""
    monkeypatch.setattr("ledger.store.connection.CONNECT_SECONDS_MAX", 2)
    with Proxy(conninfo, room=0) as proxy:
        datastore = Datastore(proxy.conninfo)
        heard = _at_once(lambda: _ask(datastore))
        datastore.close()
    assert [type(error) for error in heard] == [DatabaseAway] * THREADS
