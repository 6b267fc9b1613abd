import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.ahead import ITEMS_HERE, ahead, process
from ledger.application import Ledger
from ledger.records import PAGE_LINES_MAX

PAGES = 16


def _reciprocal(number: int) -> float:
    return 1 / number


def _count(numbers: range, error: Exception) -> Iterator[int]:
    yield from numbers
    raise error


def _take(numbers: range, ending: Exception, pool: Executor | None) -> tuple[list[int], Exception | None]:
    taken = []
    try:
        for number, made in ahead(_reciprocal, _count(numbers, ending), pool):
            assert made == _reciprocal(number)
            taken.append(number)
    except (OSError, ZeroDivisionError) as error:
        return taken, error
    return taken, None


@pytest.fixture(params=["no pool", "a pool"])
def pool(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    with ThreadPoolExecutor(1) as threads:
        yield threads if request.param == "a pool" else None


@pytest.mark.parametrize("count", [0, 1, ITEMS_HERE, 30])
def test_an_error_of_the_source_comes_after_what_came_before_it(count: int, pool: Executor | None) -> None:
    ending = OSError("unreadable")

    assert _take(range(1, count + 1), ending, pool) == ([*range(1, count + 1)], ending)


@pytest.mark.parametrize("place", [0, 2, 20])
def test_an_error_in_the_making_comes_in_its_place(place: int, pool: Executor | None) -> None:
    taken, raised = _take(range(-place, 40), OSError("unreadable"), pool)

    assert taken == [*range(-place, 0)]
    assert isinstance(raised, ZeroDivisionError)


def test_what_has_come_is_not_kept_waiting_for_what_has_not(pool: Executor | None) -> None:
    """A slow producer's page is recorded when it is there."""
    taken = threading.Semaphore(0)

    def produce() -> Iterator[int]:
        for number in range(1, 20):
            yield number
            assert taken.acquire(timeout=30), "the item must be handed on before the next one comes"

    for _ in ahead(_reciprocal, produce(), pool):
        taken.release()


def test_an_import_goes_on_without_the_process_that_helped_it(ledger: Ledger) -> None:
    lines = [b'{"job":"j%d","event":"planned","type":"T"}' % n for n in range(PAGES * PAGE_LINES_MAX)]
    killed: list[int] = []

    with process() as pool:

        def kill(_: object) -> None:
            if not killed and ledger.position() > len(lines) // 2:
                killed.extend(pool._processes)
                os.kill(killed[0], signal.SIGKILL)

        pool.submit(int).result()
        summary = ledger.import_records(lines, on_page=kill, pool=pool)

    assert len(killed) == 1
    assert (summary.read, summary.recorded, summary.rejected) == (len(lines), len(lines), 0)
    assert [entry.event.job for entry in ledger.events()] == [f"j{n}" for n in range(len(lines))]


PARENT = """
import os, signal
from ledger.ahead import process
if __name__ == "__main__":
    with process() as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        signal.pause()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_helps_ends_with_its_parent(ending: signal.Signals) -> None:
    words = (sys.executable, "-c", PARENT)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        helper = int(parent.stdout.readline())
        assert _runs(helper)
        parent.send_signal(ending)
        parent.wait(timeout=30)

    while _runs(helper):
        pass


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
