import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from ledger.application import Ledger
from ledger.errors import DatabaseAway, WaitTimedOut
from ledger.service.assembly import assemble
from ledger.store import feed, follower, mapper, reading
from ledger.store.follower import News
from tests.store.proxy import Proxy

WAITS = 200
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def _sessions(admin: psycopg.Connection[DictRow]) -> int:
    return int(admin.execute(f"SELECT count(*) AS count {OTHERS}").fetchall()[0]["count"])


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _resting(ledger: Ledger) -> int:
    return len(ledger._feed.follower._waiting)


def _at_rest(ledger: Ledger) -> bool:
    """Whether nobody is about to look again."""
    return not any(waiter.come for waiter in [*ledger._feed.follower._waiting])


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The position of each row that is decoded, again and again where it is decoded again."""
    found: list[int] = []
    read = mapper.read_recorded

    def count(row: Any) -> Any:
        found.append(row["notification_id"])
        return read(row)

    monkeypatch.setattr(reading, "read_recorded", count)
    return found


def test_many_waits_use_the_connections_of_one(ledger: Ledger, admin: psycopg.Connection[DictRow]) -> None:
    """That of appends, that of questions, and that which follows; and each wait ends with its own job."""
    jobs = [f"j{number}" for number in range(WAITS)]
    for job in jobs:
        ledger.plan("T", job=job, entities=[{"type": "vm", "id": job}])
    with ThreadPoolExecutor(WAITS + 1) as threads:
        waits = [threads.submit(ledger.wait, job, 120) for job in jobs[::2]]
        waits_free = [threads.submit(ledger.wait_free, f"vm/{job}", 120) for job in jobs[1::2]]
        _until(lambda: _resting(ledger) == WAITS)
        assert _sessions(admin) == 3
        for job in jobs:
            ledger.succeed(job)
        assert [wait.result(60).job for wait in waits] == jobs[::2]
        assert not any(wait.result(60).busy for wait in waits_free)
        assert _sessions(admin) == 3


def test_only_those_look_again_whom_it_concerns(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, decoded: list[int]
) -> None:
    """Of others' jobs none hears, and of its own none hears how far it is."""
    monkeypatch.setattr(feed, "TELL_SECONDS", 600.0)
    for job in ("a", "b", "c"):
        ledger.plan("T", job=job)
    looked: list[str] = []
    ask = ledger._queries.job

    def note(job: str) -> Any:
        looked.append(job)
        return ask(job)

    monkeypatch.setattr(ledger._queries, "job", note)
    with ThreadPoolExecutor(2) as threads:
        waits = [threads.submit(ledger.wait, job, 60) for job in ("a", "b")]
        _until(lambda: _resting(ledger) == 2 and ledger._feed.reached == 3 and _at_rest(ledger))
        before = len(looked)
        ledger.progress("a", 50)
        ledger.succeed("c")
        _until(lambda: ledger._feed.reached == 5)
        assert len(looked) == before
        ledger.succeed("b")
        assert waits[1].result(60).job == "b"
        assert looked[before:] == ["b"]
        ledger.succeed("a")
        waits[0].result(60)
    assert len(decoded) == len(set(decoded))


def test_each_event_is_decoded_once_for_all_who_watch(ledger: Ledger, decoded: list[int]) -> None:
    ledger.plan("T", job="a")
    with ThreadPoolExecutor(8) as threads:
        watches = [ledger._feed.follow(1) for _ in range(8)]
        assert [next(watch) for watch in watches] == [None] * 8
        seen = [
            threads.submit(lambda seen: [*islice((entry.position for entry in seen if entry), 50)], watch)
            for watch in watches
        ]
        _until(lambda: _resting(ledger) == 8)
        for number in range(50):
            ledger.progress("a", message=str(number))
        assert [each.result(60) for each in seen] == [[*range(2, 52)]] * 8
    assert sorted(decoded) == [*range(2, 52)]


def test_a_reader_that_falls_behind_is_kept_nothing_and_misses_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads for itself, while another that keeps up is told at once."""
    monkeypatch.setattr(follower, "KEPT_EVENTS_MAX", 10)
    ledger.plan("T", job="a")
    slow, quick = ledger.watch(0), ledger.watch(0)
    assert next(slow).position == next(quick).position == 1
    for number in range(2, 102):
        ledger.progress("a", message=str(number))
        assert next(quick).position == number
        assert len(ledger._feed.follower._recent.entries) <= 10  # type: ignore[union-attr]
    assert [entry.position for entry in islice(slow, 100)] == [*range(2, 102)]


def test_large_events_are_not_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "KEPT_BYTES_MAX", 10_000)
    seen = ledger._feed.follow(None)
    assert next(seen) is None
    for number in range(8):
        ledger.plan("T", job=f"j{number}", params={"x": "y" * 4_000})
    positions: list[int] = []
    while len(positions) < 8:
        positions += [entry.position for entry in (next(seen),) if entry]
        recent = ledger._feed.follower._recent
        assert recent is not None
        assert sum(map(follower._size, recent.entries)) == recent.size_bytes <= 10_000
    assert positions == [*range(1, 9)]


def test_what_nobody_waited_for_is_passed_over(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, decoded: list[int]
) -> None:
    """Who comes after a long pause does not read what came meanwhile, and hears what concerns it."""
    monkeypatch.setattr(follower, "KEPT_EVENTS_MAX", 10)
    monkeypatch.setattr(ledger._feed.follower, "_page_size", 20)
    ledger.plan("T", job="a")
    with pytest.raises(WaitTimedOut):
        ledger.wait("a", 0.2)
    for number in range(200):
        ledger.progress("a", message=str(number))
    with pytest.raises(WaitTimedOut):
        ledger.wait("a", 0.5)
    assert len(decoded) <= 20 + 1
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ledger.wait, "a", 60)
        _until(lambda: _resting(ledger) == 1)
        ledger.succeed("a")
        assert waiting.result(60).ok


def test_whoever_leads_may_leave(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its time, by its own news, or by an interrupt in the midst of a look: another leads, and nothing is missed."""
    for job in ("a", "b", "c"):
        ledger.plan("T", job=job)
    leads = ledger._feed.follower
    read, interrupts = leads._read, [KeyboardInterrupt]

    def read_or_not(*asked: Any) -> Any:
        found = read(*asked)
        if found and interrupts:
            raise interrupts.pop()
        return found

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(leads.rest, News(3, ["none"]), 0.3)
        _until(lambda: _resting(ledger) == 1)
        second = threads.submit(leads.rest, News(3, ["none"]), 60)
        _until(lambda: _resting(ledger) == 2)
        third = threads.submit(ledger.wait, "a", 60)
        fourth = threads.submit(ledger.wait, "c", 60)
        first.result(60)
        _until(lambda: _resting(ledger) == 3 and _at_rest(ledger))
        monkeypatch.setattr(leads, "_read", read_or_not)
        ledger.succeed("a")
        assert isinstance(second.exception(60), KeyboardInterrupt)
        assert third.result(60).ok
        ledger.succeed("c")
        assert fourth.result(60).ok


def test_an_event_between_the_look_and_the_wait_is_not_missed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one that came before the first look of all."""
    monkeypatch.setattr(feed, "TELL_SECONDS", 600.0)
    ask = ledger._queries.job
    ended: list[str] = []

    def ask_and_end(job: str) -> Any:
        view = ask(job)
        if job not in ended:
            ended.append(job)
            ledger.succeed(job)
            with pytest.raises(WaitTimedOut):  # which lets the follower pass it
                ledger.wait_free("vm/v", 0.3)
        return view

    ledger.plan("T", job="holder", entities=[{"type": "vm", "id": "v"}])
    for job in ("a", "b"):
        ledger.plan("T", job=job)
    monkeypatch.setattr(ledger._feed.follower, "turn", threading.RLock)
    monkeypatch.setattr(ledger._queries, "job", ask_and_end)
    assert ledger.wait("a", 30).ok
    assert ledger.wait("b", 30).ok


def test_an_outage_is_told_once_whoever_waits(
    conninfo: str, admin: psycopg.Connection[DictRow], caplog: pytest.LogCaptureFixture
) -> None:
    """And those who wait do not ask meanwhile, but once it is over."""
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger, assemble(conninfo) as other:
        for number in range(20):
            other.plan("T", job=f"j{number}")
        with ThreadPoolExecutor(20) as threads:
            waits = [threads.submit(ledger.wait, f"j{number}", 60) for number in range(20)]
            _until(lambda: _resting(ledger) == 20 and ledger._feed.reached == 20)
            proxy.reachable = False
            proxy.hang_up()
            _until(lambda: any("once the database is back" in record.getMessage() for record in caplog.records))
            for number in range(20):
                other.succeed(f"j{number}")
            proxy.reachable = True
            assert all(wait.result(60).ok for wait in waits)
    words = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [word.partition(" once ")[0].partition(": ")[0] for word in words] == [
        "Following goes on from position 20"
    ] * 2


def test_the_more_wait_the_more_seldom_each_looks_again(ledger: Ledger) -> None:
    """So that a thousand ask hardly more than one; who was not answered does so soon, unless the database is away."""
    shared = ledger._feed.follower
    assert shared.again_seconds(1.0, answered=True) == 1.0
    shared._waiting = dict.fromkeys(range(1_000))  # type: ignore[arg-type]
    assert shared.again_seconds(1.0, answered=True) == 100.0
    assert shared.again_seconds(1.0, answered=False) == 1.0
    shared._away = DatabaseAway("It is away.")
    assert shared.again_seconds(1.0, answered=False) == 100.0
