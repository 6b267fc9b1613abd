import logging
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.store import feed, silence
from tests.recovery.facts import until
from tests.store.proxy import Proxy

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def _pids(admin: psycopg.Connection[DictRow]) -> set[int]:
    return {row["pid"] for row in admin.execute(f"SELECT pid {OTHERS}").fetchall()}


def _end_all(admin: psycopg.Connection[DictRow]) -> None:
    ended = _pids(admin)
    admin.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
    while ended & _pids(admin):
        pass


def test_each_kind_is_made_anew_and_nobody_hears_of_it(
    ledger: Ledger, admin: psycopg.Connection[DictRow], caplog: pytest.LogCaptureFixture
) -> None:
    """That which appends, those that answer questions, and that which follows; three, as before."""
    ledger.plan("T", job="a", entities=[{"type": "vm", "id": "v"}])
    seen = ledger.watch(0)
    assert next(seen).position == 1
    for turn in range(2, 5):
        assert ledger.busy("vm/v").busy
        before = _pids(admin)
        assert len(before) == 3
        _end_all(admin)
        assert ledger.busy("vm/v").busy
        assert ledger.plan("T", job=f"j{turn}").position == turn
        assert next(seen).position == turn
        until(lambda: len(_pids(admin)) == 3)  # one that was let go may take a moment to be gone
        assert not before & _pids(admin)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_many_that_were_idle_are_all_given_up_for_one(ledger: Ledger, admin: psycopg.Connection[DictRow]) -> None:
    out = threading.Barrier(8)

    def ask() -> None:
        with ledger._feed._datastore.connection():
            out.wait()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_pids(admin)) == 8
    _end_all(admin)
    assert not ledger.busy("vm/v").busy
    assert len(_pids(admin)) == 1


def test_one_that_was_forgotten_on_the_way_is_found_out_before_it_is_used(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a firewall, which says nothing to either end."""
    monkeypatch.setattr(silence, "LOOK_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(silence, "LOOK_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr("ledger.store.datastore.ASK_AFTER_SECONDS", 0.0)
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        assert not ledger.busy("vm/v").busy
        proxy.swallow_on = b"\x00"  # whatever is said next over it, and all after that
        assert not ledger.busy("vm/v").busy
        assert proxy.swallow_on is None


def test_a_reader_that_was_let_go_goes_on_in_silence(
    ledger: Ledger,
    admin: psycopg.Connection[DictRow],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "IDLE_SECONDS_MAX", 1)
    ledger.plan("T", job="a")
    seen = ledger.watch(0)
    assert next(seen).position == 1
    kept = len(_pids(admin)) - 1
    while len(_pids(admin)) > kept:
        pass
    ledger.plan("T", job="b")
    assert next(seen).position == 2
    assert caplog.records == []
