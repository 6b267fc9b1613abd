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
WARM_CALLS, FIRST_CALLS = 60, 5
Jobs = dict[str, Callable[[], str]]  # the job to tell of next, by the name of its kind
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
        jobs: Jobs = {"new": partial(_new, ledger, numbers)}
        for events in EVENTS:
            took = seconds(partial(ledger.import_records, _lines(events)))
            say(f"  told a job {events:,} events in {took:.0f} s")
            jobs[str(events)] = partial(str, f"long{events}")
        sides = {"warm": partial(_warm, ledger, jobs, numbers), "first": partial(_first, conninfo, jobs, numbers)}
        for side in sides.values():
            side()  # statements are prepared, pages are in memory
        shown = interleave(sides, bench.budget(12, 90))
    last = f"{EVENTS[-1]}_p50_ms"
    return Findings(
        ratios={
            "long_stream_ratio": ratio(shown["warm"][last], shown["warm"]["new_p50_ms"]),
            "long_stream_first_ratio": ratio(shown["first"][last], shown["first"]["new_p50_ms"]),
        },
        figures=dict(spreads(shown)),
        notes=(
            f"warm: {WARM_CALLS} reports of progress on each job in turn, by a process that has told them before",
            f"first: the first append of a process, without its start, {FIRST_CALLS} on each job in turn",
            "new: a job with one event",
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


def _warm(ledger: Ledger, jobs: Jobs, numbers: Iterator[int]) -> Sample:
    def tell(job: str) -> float:
        _new(ledger, numbers)  # so that every report has the same before it
        return seconds(partial(ledger.progress, job, done=next(numbers)))

    return _turns(jobs, tell, WARM_CALLS)


def _first(conninfo: str, jobs: Jobs, numbers: Iterator[int]) -> Sample:
    def tell(job: str) -> float:
        words = (sys.executable, "-c", FIRST, conninfo, job, str(next(numbers)))
        return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    return _turns(jobs, tell, FIRST_CALLS)


def _turns(jobs: Jobs, tell: Callable[[str], float], calls: int) -> Sample:
    """The p50 of telling each job something, in turns, as the pace of a machine changes within seconds."""
    took: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(calls):
        for name, job in jobs.items():
            took[name].append(tell(job()))
    return {f"{name}_p50_ms": millis(values)["p50_ms"] for name, values in took.items()}
