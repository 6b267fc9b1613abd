from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest

from ledger.application import Ledger
from ledger.store.connection import connect
from projections.followed import follower
from tests.projections.followed import Noted, make, noted


def test_two_followers_at_once_take_each_event_once(
    ledger: Ledger, conninfo: str, superuser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four that follow while others write neither fail nor take anything twice or out of order."""
    monkeypatch.setattr(follower, "PAGE_EVENTS_MAX", 2)
    make(superuser)
    ended = Event()

    def write(name: str) -> None:
        for number in range(40):
            ledger.plan("T", job=f"{name}{number}")

    def follow() -> int:
        rounds = 0
        with connect(conninfo) as session:
            while not ended.is_set():
                head = ledger.position()
                assert follower.follow(session, projections=[Noted()]) >= head
                rounds += 1
        return rounds

    with ThreadPoolExecutor(7) as pool:
        following = [pool.submit(follow) for _ in range(4)]
        for writing in [pool.submit(write, name) for name in "abc"]:
            writing.result()
        ended.set()
        assert all(each.result() > 0 for each in following)
    with connect(conninfo) as session:
        assert follower.follow(session, projections=[Noted()]) == 120
    assert noted(superuser) == [(position, "planned") for position in range(1, 121)]


def test_what_is_committed_while_a_follower_waits_is_not_taken_twice(
    ledger: Ledger, conninfo: str, superuser: str
) -> None:
    """Even where the server's default isolation would let it read what was so before it waited."""
    make(superuser)
    ledger.plan("T", job="a")
    with psycopg.connect(superuser) as holder, connect(conninfo) as session, ThreadPoolExecutor(1) as pool:
        session.execute("SET default_transaction_isolation = 'serializable'")
        holder.execute("SELECT pg_advisory_xact_lock(7308604896899097447)")
        waiting = pool.submit(follower.follow, session, projections=[Noted()])
        while not holder.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall():
            assert not waiting.done()
        with psycopg.connect(superuser) as other:
            other.execute("INSERT INTO history.noted VALUES (1, 'planned')")
            other.execute("INSERT INTO history.tracking VALUES ('noted', 1, 1)")
        holder.rollback()
        assert waiting.result() == 1
    assert noted(superuser) == [(1, "planned")]
