from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import psycopg

from ledger.application import Ledger
from projections.inline import rebuild


def _work(ledger: Ledger, name: str, stop: Event) -> int:
    count = 0
    while not stop.is_set():
        job = f"{name}/{count}"
        ledger.plan("Build", job=job, entities=[{"type": "vm", "id": job}])
        assert ledger.busy(f"vm/{job}").busy, "an acknowledged plan is seen at once, whatever is swapped meanwhile"
        ledger.succeed(job)
        assert not ledger.busy(f"vm/{job}").busy
        count += 1
    return count


def test_appends_go_on_through_a_rebuild(ledger: Ledger, admin: psycopg.Connection[Any]) -> None:
    """Writers with open connections and prepared statements see three swaps and no error; the views are right after."""
    for number in range(20):
        ledger.plan("Build", job=f"old/{number}")  # long enough to have prepared its statements
    stop = Event()
    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(_work, ledger, f"w{number}", stop) for number in range(3)]
        try:
            for _ in range(3):
                before = ledger.position()
                assert rebuild.rebuild(admin) >= before
                assert set(rebuild.compare(admin).values()) == {0}, "compared while writes go on"
        finally:
            stop.set()
        done = [worker.result() for worker in workers]
    assert min(done) > 0
    assert sum(1 for _ in ledger.jobs()) == sum(done) + 20
    assert set(rebuild.compare(admin).values()) == {0}
