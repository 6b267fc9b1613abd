"""A rebuild of all views while another process goes on writing, against a reading of the rows alone."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg

from ledger.store.connection import connect
from ledger.store.statements import SQL
from projections.inline import rebuild
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.history import make
from tests.benchmarks.loaded import Size
from tests.benchmarks.measure import Sample, interleave, ratio, seconds, spreads

ROOT = Path(__file__).parents[2]
EVENTS, EVENTS_FULL = 100_000, 1_000_000
EVENTS_EACH, ACTIVE = 4, 3


def measure(bench: Bench) -> Findings:
    """Events a second into the views, and rows a second out of the table."""
    events = EVENTS_FULL if bench.full else EVENTS
    history = make(bench, Size(events // EVENTS_EACH, ACTIVE, EVENTS_EACH))
    sides: dict[str, Callable[[], Sample]] = {
        "rebuild": partial(_rebuild, history.superuser),
        "read": partial(read, history.superuser),
    }
    shown = interleave(sides, bench.budget(5, 60))
    bench.drop(history.superuser)
    return Findings(
        ratios={"rebuild_events_per_s": spreads(shown)["rebuild"]["per_s"]},
        figures={
            **spreads(shown),
            "rebuild_of_read": ratio(shown["rebuild"]["per_s"], shown["read"]["per_s"]),
            "events": history.events,
        },
        notes=(f"{history.events:,} events and those that one caller in another process writes meanwhile",),
    )


def _rebuild(superuser: str) -> Sample:
    position = 0

    def work() -> None:
        nonlocal position
        position = rebuild.rebuild(connection)

    with connect(superuser) as connection, writing(superuser) as told:
        took = seconds(work)
    return {"per_s": position / took, "written_meanwhile_per_s": told[0] / took}


@contextmanager
def writing(superuser: str) -> Iterator[list[int]]:
    """A caller that writes in a process of its own; how many transitions it told is known afterwards."""
    command = (sys.executable, "-m", "tests.benchmarks.callers", writer(superuser))
    told: list[int] = []
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            yield told
            told.append(int(process.communicate()[0]))
        finally:
            process.kill()


def read(superuser: str) -> Sample:
    """Read every row in pages as a rebuild does, and make nothing of them."""
    rows = 0

    def work() -> None:
        nonlocal rows
        after = 0
        while page := connection.execute(
            SQL["select_page"], {"after": after, "limit": rebuild.PAGE_EVENTS_MAX}
        ).fetchall():
            rows += len(page)
            after = page[-1][4]

    with psycopg.connect(superuser, autocommit=True) as connection:
        took = seconds(work)
    return {"per_s": rows / took}
