import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg

from ledger.application import Ledger
from ledger.service.assembly import assemble
from tests.races.broken import BROKEN
from tests.races.tail import blocked, gaps_filled_later
from tests.store.controls import as_role, rows, stray

WRITERS = 6
EACH = 40


def _write(conninfo: str, writer: int) -> None:
    with assemble(conninfo) as ledger:
        for n in range(EACH):
            ledger.plan("T", job=f"{writer}/{n}")


def _stray(superuser: str, writer: int) -> None:
    with as_role(superuser, "jobledger_writer") as connection:
        for n in range(EACH):
            with connection.transaction(force_rollback=n % 4 == 0):
                stray(connection, f"job:stray/{writer}/{n}")


def test_a_reader_never_passes_an_event_that_appears_later(superuser: str, conninfo: str, ledger: Ledger) -> None:
    with ThreadPoolExecutor(WRITERS) as pool, psycopg.connect(superuser, autocommit=True) as reader:
        work = [pool.submit(_write, conninfo, n) for n in range(WRITERS - 2)]
        work += [pool.submit(_stray, superuser, n) for n in range(2)]
        missed = gaps_filled_later(reader, lambda: all(future.done() for future in work))
        for future in work:
            future.result()
        stored = rows(reader)

    assert missed == []
    assert [row["notification_id"] for row in stored] == list(range(1, len(stored) + 1))
    assert len(stored) == (WRITERS - 2) * EACH + 2 * EACH * 3 // 4
    times = [row["recorded_at"] for row in stored]
    assert times == sorted(times)
    ledger.plan("T", job="last")
    assert ledger.job("stray/0/1").type == "Stray"


def _overlap(superuser: str) -> list[int]:
    """Two overlapping inserts, read while the first is still open; the positions that the reader missed."""
    with (
        psycopg.connect(superuser) as first,
        psycopg.connect(superuser, autocommit=True) as second,
        psycopg.connect(superuser, autocommit=True) as reader,
    ):
        stray(first, "job:first")
        later = threading.Thread(target=stray, args=(second, "job:second"))
        later.start()
        while later.is_alive() and not blocked(reader, second.info.backend_pid):
            pass
        looks = 0

        def done() -> bool:
            nonlocal looks
            looks += 1
            if looks == 2:  # the reader has looked once while the first insert was open
                first.commit()
                later.join()
            return looks == 3

        return gaps_filled_later(reader, done)


def test_two_overlapping_inserts_wait_for_each_other(superuser: str) -> None:
    assert _overlap(superuser) == []


def test_without_the_lock_the_same_check_finds_what_the_reader_missed(superuser: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(BROKEN)

    assert _overlap(superuser) == [1]
