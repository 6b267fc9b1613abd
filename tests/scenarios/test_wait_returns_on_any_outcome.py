from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ledger.application import Ledger
from ledger.errors import JobNotFound, WaitTimedOut
from ledger.store.connection import connect

ENDS: list[tuple[str, Callable[[Ledger], object]]] = [
    ("succeeded", lambda ledger: ledger.succeed("a")),
    ("failed", lambda ledger: ledger.fail("a")),
    ("cancelled", lambda ledger: ledger.record({"job": "a", "event": "cancelled"})),
    ("abandoned", lambda ledger: ledger.abandon("a")),
    ("unknown", lambda ledger: ledger.lose("a")),
]
FOLLOWING = """
SELECT FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle' AND query LIKE '%notification_id > $%'
"""


def _wait_until_listening(superuser: str) -> None:
    with connect(superuser) as connection:
        for _ in range(10_000):
            if connection.execute(FOLLOWING).fetchall():
                return
    raise AssertionError


@pytest.mark.parametrize(("outcome", "end"), ENDS)
def test_wait_returns_on_any_outcome(
    ledger: Ledger, superuser: str, outcome: str, end: Callable[[Ledger], object]
) -> None:
    """Who waits is woken by the end, whichever it is; who comes after it has the answer at once."""
    ledger.plan("Build", job="a", entities=[{"type": "vm", "id": "1"}])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ledger.wait, "a", 30)
        _wait_until_listening(superuser)
        end(ledger)
        assert waiting.result(30).outcome == outcome
    assert ledger.wait("a", 0).outcome == outcome


def test_wait_ends_at_its_time_although_news_never_end(ledger: Ledger) -> None:
    """Events of other jobs neither answer nor prolong it."""
    ledger.plan("Build", job="a", entities=[{"type": "vm", "id": "1"}])
    stop = Event()

    def chatter() -> None:
        ledger.plan("Talk", job="b")
        while not stop.is_set():
            ledger.progress("b", message="and on")

    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(chatter)
        try:
            with pytest.raises(WaitTimedOut):
                ledger.wait("a", 0.3)
            with pytest.raises(WaitTimedOut):
                ledger.wait_free("vm/1", 0.3)
        finally:
            stop.set()
        talking.result()


def test_wait_for_a_job_that_never_was_does_not_wait(ledger: Ledger) -> None:
    """Nor does one for an entity that nobody holds."""
    with pytest.raises(JobNotFound):
        ledger.wait("never", 30)
    assert ledger.wait_free("vm/1", 30).position == 0
