import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from ledger.application import Ledger
from ledger.errors import Contradiction, EntityBusy, IllegalTransition, JobNotFound, MalformedRecord
from ledger.service.assembly import assemble

CALLERS = 42
LOCK = 7308604896899097444  # the append lock, as the migration names it


class Raising(dict[str, str]):
    """A record that cannot even be read."""

    def get(self, *_: object) -> Any:
        raise ZeroDivisionError


def _call(ledger: Ledger, n: int) -> Exception | None:
    """What caller n says: six of seven conflict, are refused, speak of nobody, err, or say nothing that is a record."""
    kinds = [
        lambda: ledger.plan("T", job=f"j{n}", entities=[{"type": "vm", "id": f"v{n}"}]),
        lambda: ledger.plan("Other", job="known"),
        lambda: ledger.plan("T", job=f"j{n}", entities=[{"type": "vm", "id": "busy"}]),
        lambda: ledger.succeed("never-was"),
        lambda: ledger.resume("known"),
        lambda: ledger.record({"job": "known", "event": "vanished"}),
        lambda: ledger.record(Raising()),
    ]
    try:
        kinds[n % 7]()
    except Exception as error:  # noqa: BLE001 - one of them is none of ours
        return error
    return None


def test_callers_in_one_transaction_get_their_own_answers(superuser: str, conninfo: str, ledger: Ledger) -> None:
    ledger.plan("T", job="known", entities=[{"type": "vm", "id": "busy"}])
    with psycopg.connect(superuser) as holder, ThreadPoolExecutor(CALLERS) as pool:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        calls = [pool.submit(_call, ledger, n) for n in range(CALLERS)]
        committer = ledger._recorder._committer
        # One leads, and waits for the append lock; what is of no plain values is read before it is queued.
        while len(committer._waiting) < CALLERS - 1 - CALLERS // 7:
            pass
        holder.rollback()
        answers = [type(call.result(timeout=60)) for call in calls]

        expected = [
            type(None), Contradiction, EntityBusy, JobNotFound, IllegalTransition, MalformedRecord, ZeroDivisionError
        ]  # fmt: skip
        assert answers == [expected[n % 7] for n in range(CALLERS)]
        rows = holder.execute("SELECT count(DISTINCT xmin::text), count(*) FROM ledger.stored_events").fetchall()
    ((transactions, events),) = rows
    assert events == 1 + CALLERS // 7 * 2
    assert transactions <= 3  # the first plan, the caller that led, and all the others


class Recording(dict[str, str]):
    """A record that records something itself while it is read."""

    ledger: Ledger

    def get(self, *words: Any) -> Any:
        self.ledger.plan("T", job=f"while {self['job']} was read")
        return super().get(*words)


def test_a_record_that_runs_code_of_its_callers_is_read_by_nobody_else(ledger: Ledger) -> None:
    record = Recording(event="planned", type="T", job="a")
    record.ledger = ledger
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ledger.record, record).result(timeout=30).position == 2


def test_processes_and_threads_do_not_starve_each_other(conninfo: str) -> None:
    """While many threads of one ledger keep on writing, a lone caller of another gets its turns."""
    stop = threading.Event()

    def write(ledger: Ledger, n: int) -> int:
        written = 0
        while not stop.is_set():
            ledger.plan("T", job=f"{n}/{written}")
            written += 1
        return written

    with assemble(conninfo) as many, assemble(conninfo) as lone, ThreadPoolExecutor(16) as pool:
        work = [pool.submit(write, many, n) for n in range(16)]
        try:
            for n in range(50):
                lone.plan("T", job=f"lone/{n}")
        finally:
            stop.set()
        assert all(future.result(timeout=60) for future in work)
