"""Callers of a ledger, each a thread: it plans a job on an entity of its own, says that it succeeded, and goes on."""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ledger.application import Ledger
from ledger.service.assembly import assemble
from tests.benchmarks.measure import Sample, millis

_runs: Iterator[int] = itertools.count(1)


def transitions(ledger: Ledger, name: str) -> Callable[[], object]:
    """A caller's next transition, each time it is called."""
    turns = itertools.count()

    def tell() -> None:
        turn = next(turns)
        job = f"{name}/{turn // 2}"
        if turn % 2:
            ledger.succeed(job, {"bytes": turn})
        else:
            disk = {"type": "disk", "id": f"d-{job}", "access": "exclusive"}
            ledger.plan("BackupDisk", job=job, actor="alice", entities=[disk], params={"target": "s3", "level": turn})

    return tell


def crowd(callers: int, seconds: float, begin: Callable[[str], Callable[[], object]]) -> Sample:
    """Let callers act for some seconds, each what `begin` gives it; how many acts a second, and how long each took."""
    run = f"{time.time_ns():x}-{next(_runs)}"
    together = threading.Barrier(callers)

    def act(number: int) -> tuple[float, float, list[float]]:
        work = begin(f"{run}-{number}")
        took: list[float] = []
        together.wait()
        began = now = time.perf_counter()
        while now - began < seconds:
            work()
            before, now = now, time.perf_counter()
            took.append(now - before)
        return began, now, took

    with ThreadPoolExecutor(callers) as pool:
        acted = list(pool.map(act, range(callers)))
    lasted = max(end for _, end, _ in acted) - min(begin for begin, _, _ in acted)
    every = [value for _, _, took in acted for value in took]
    return {"per_s": len(every) / lasted, **millis(every)}


def write(ledger: Ledger, callers: int, seconds: float) -> Sample:
    """Let callers tell transitions for some seconds."""
    return crowd(callers, seconds, lambda name: transitions(ledger, name))


def write_on(conninfo: str) -> None:
    """One caller in a process of its own, until its stdin is closed.

    Prints a line once it writes, and at the end how many transitions it told.
    """
    stop = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    told = 0
    with assemble(conninfo) as ledger:
        tell = transitions(ledger, f"beside-{time.time_ns():x}")
        tell()
        print("writing", flush=True)
        while not stop.is_set():
            tell()
            told += 1
    print(told)


if __name__ == "__main__":
    write_on(sys.argv[1])
