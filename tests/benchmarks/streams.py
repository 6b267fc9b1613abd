"""What the next append costs as its job's stream grows: by a process that knows it, and by one that has just begun."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

from ledger.application import Ledger
from ledger.service.assembly import assemble
from tests.benchmarks.bench import Bench, Findings, say, writer
from tests.benchmarks.measure import Sample, interleave, millis, ratio, seconds, spreads

EVENTS = (1_000, 100_000)
CALLS = 50
FIRST = """
import sys, time
from ledger.service.assembly import assemble
with assemble(sys.argv[1]) as ledger:
    began = time.perf_counter()
    ledger.progress(sys.argv[2], done=int(sys.argv[3]))
    print(time.perf_counter() - began)
"""


def measure(bench: Bench) -> Findings:
    """The p50 of an append to a new job, and to jobs with a thousand and a hundred thousand events, turn by turn."""
    conninfo = writer(bench.new_ledger())
    numbers = itertools.count(1_000_000)
    with assemble(conninfo) as ledger:
        jobs: dict[str, Callable[[], str]] = {"new": partial(_new, ledger, numbers)}
        for events in EVENTS:
            took = seconds(partial(ledger.import_records, _lines(events)))
            say(f"  told a job {events:,} events in {took:.0f} s")
            jobs[str(events)] = partial(str, f"long{events}")
        sides: dict[str, Callable[[], Sample]] = {}
        for name, job in jobs.items():
            sides[f"warm_{name}"] = partial(_warm, ledger, job, numbers)
            sides[f"first_{name}"] = partial(_first, conninfo, job, numbers)
        for side in sides.values():
            side()  # statements are prepared, pages are in memory
        shown = interleave(sides, bench.budget(12, 90))
    p50 = {name: series["p50_ms"] for name, series in shown.items()}
    last = str(EVENTS[-1])
    return Findings(
        ratios={
            "long_stream_ratio": ratio(p50[f"warm_{last}"], p50["warm_new"]),
            "long_stream_first_ratio": ratio(p50[f"first_{last}"], p50["first_new"]),
        },
        figures=dict(spreads(shown)),
        notes=(
            f"warm: {CALLS} reports of progress a round by a process that has told the job before",
            "first: the first append of a process, without its start; new: a job with one event",
        ),
    )


def _new(ledger: Ledger, numbers: Iterator[int]) -> str:
    job = f"new{next(numbers)}"
    ledger.plan("Copy", job=job)
    return job


def _lines(events: int) -> Iterator[bytes]:
    job = f"long{events}"
    yield json.dumps({"job": job, "event": "planned", "type": "Copy"}).encode()
    for number in range(1, events):
        at = f"2026-01-{number // 86_400 + 1:02}T{number // 3_600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
        yield json.dumps({"job": job, "event": "progressed", "done": number, "at": at}).encode()


def _warm(ledger: Ledger, job: Callable[[], str], numbers: Iterator[int]) -> Sample:
    took = []
    for _ in range(CALLS):
        told = job()
        took.append(seconds(partial(ledger.progress, told, done=next(numbers))))
    return millis(took)


def _first(conninfo: str, job: Callable[[], str], numbers: Iterator[int]) -> Sample:
    words = (sys.executable, "-c", FIRST, conninfo, job(), str(next(numbers)))
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return millis([float(done.stdout)])
