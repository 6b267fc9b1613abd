from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.demo.fake.executor import FakeExecutor
from ledger.demo.fake.journal import read_journal

CALLS = 100


def test_two_threads_share_an_executor(executor: FakeExecutor, truth: Path) -> None:
    """Each gets the answer to its own call."""
    with ThreadPoolExecutor(2) as pool:
        ids = list(pool.map(lambda n: executor.call("T", {"n": n}, f"t{n}"), range(CALLS)))

    _each_got_its_own(truth, ids)


def test_two_connections_are_served_at_once(executor: FakeExecutor, truth: Path) -> None:
    second = FakeExecutor(truth)
    try:
        with ThreadPoolExecutor(2) as pool:
            turns = pool.map(lambda n: (executor, second)[n % 2].call("T", {"n": n}, f"t{n}"), range(CALLS))
            ids = list(turns)
    finally:
        second.hang_up()

    _each_got_its_own(truth, ids)


def _each_got_its_own(folder: Path, ids: list[str]) -> None:
    accepted = {fact["task"]: fact for fact in read_journal(folder) if fact["what"] == "accepted"}
    assert [accepted[external_id]["params"]["n"] for external_id in ids] == list(range(CALLS))
    assert len(accepted) == CALLS
