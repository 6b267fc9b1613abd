from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from ledger.application import Ledger
from ledger.service.assembly import assemble

WRITERS, JOBS = 4, 25


def _write(conninfo: str, name: str) -> None:
    with assemble(conninfo) as ledger:
        for number in range(JOBS):
            ledger.plan("Build", job=f"{name}/{number}")
            ledger.succeed(f"{name}/{number}")


def test_watch_follows_without_gap_or_duplicate(ledger: Ledger, conninfo: str) -> None:
    """While four writers race, two watchers see every position once and in order, the one from the middle too."""
    total = 2 * WRITERS * JOBS
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        early = pool.submit(lambda: [entry.position for entry in islice(ledger.watch(0), total)])
        writers = [pool.submit(_write, conninfo, f"w{number}") for number in range(WRITERS)]
        late = pool.submit(lambda: [entry.position for entry in islice(ledger.watch(0), total // 2)])
        for writer in writers:
            writer.result()
        assert early.result(60) == list(range(1, total + 1))
        assert late.result(60) == list(range(1, total // 2 + 1))
    assert [entry.position for entry in islice(ledger.watch(7), 3)] == [8, 9, 10]


def test_watching_one_job_ends_with_it(ledger: Ledger) -> None:
    """It tells what became of the job, its last word included, and stops; of one that is closed long since, at once."""
    ledger.plan("Build", job="a")
    watched = ledger.watch(0, job="a")
    assert next(watched).event.name == "planned"
    ledger.plan("Build", job="b")
    ledger.lose("a")
    ledger.resolve("a", "failed")
    ledger.succeed("b")
    assert [entry.event.name for entry in watched] == ["lost", "resolved"]
    assert list(ledger.watch(job="a")) == []
