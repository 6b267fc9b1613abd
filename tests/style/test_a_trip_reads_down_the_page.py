"""Who follows one call turns few pages: it seldom comes back to a file that it has left, and asks each thing once.

Counted, not timed, of a call that is warm. Whoever finds a bound too narrow looks first for what could be left out.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count, repeat
from pathlib import Path
from types import FrameType
from typing import Any

from ledger import Recovery
from ledger.application import Ledger
from ledger.recovery.proposal import Scope
from tests.recovery.given import listed, task

ROOT = Path(__file__).parents[2]
OURS = (f"{ROOT}/ledger/", f"{ROOT}/projections/")
WARM, TRIPS = 20, 10
PLAN_RETURNS_MAX = 75
# What psycopg and the line of appends say, each a statement: by the function that says it.
SAYING = {"Cursor.execute", "Together.say", "Transaction.__enter__", "Transaction.__exit__"}


@dataclass
class Trip:
    """What a call passes: the files of the functions that it calls, in order, and the statements that it sends."""

    files: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    statements: int = 0

    def pass_by(self, frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event != "call":
            return
        if code.co_filename.startswith(OURS):
            self.files.append(code.co_filename)
            self.functions.append(code.co_qualname)
        asks_nothing = (
            code.co_qualname == "Cursor.execute" and frame.f_locals["query"] == ""
        )  # whether anybody is there
        if code.co_qualname in SAYING and not asks_nothing:
            self.statements += 1

    @property
    def returns(self) -> int:
        """How often it comes back to a file that it had left."""
        turned = [file for file, before in zip(self.files, [None, *self.files], strict=False) if file != before]
        return len(turned) - len(set(turned))


def taken(call: Callable[[], object]) -> Trip:
    trip = Trip()
    sys.setprofile(trip.pass_by)
    try:
        call()
    finally:
        sys.setprofile(None)
    return trip


def shortest(calls: Iterator[Callable[[], object]]) -> Trip:
    """The trip of a warm call; of several the shortest, for one that the database keeps waiting looks why."""
    for _ in range(WARM):
        next(calls)()
    return min((taken(next(calls)) for _ in range(TRIPS)), key=lambda trip: (trip.statements, trip.returns))


def _plans(ledger: Ledger) -> Iterator[Callable[[], object]]:
    for n in count():
        yield partial(ledger.plan, "T", job=f"j{n}", entities=[{"type": "disk", "id": f"d{n}"}])


def _recoveries(ledger: Ledger, engine: Ledger) -> Iterator[Callable[[], object]]:
    """Each of one job of which its executor knows that it succeeded, and nobody else."""
    for n in count():
        job = f"left{n}"
        ledger.plan("T", job=job, entities=[{"type": "disk", "id": job}])
        ledger.submit(job, "agent", f"token-{job}")
        ledger.accept(job, f"task-{job}")
        recovery = Recovery(engine, [listed(task(f"task-{job}", "succeeded"))])
        yield partial(recovery.apply, Scope(job=job))


def test_a_plan_reads_down_the_page(ledger: Ledger) -> None:
    trip = shortest(_plans(ledger))

    assert trip.returns <= 75
    assert len(trip.functions) <= 255
    assert (
        trip.statements <= 8
    )  # begin, the lock; how far all is, the streams, the holders; the event, the views; commit


def test_a_question_reads_down_the_page(ledger: Ledger) -> None:
    ledger.plan("T", job="j", entities=[{"type": "disk", "id": "d"}])
    trip = shortest(repeat(partial(ledger.busy, "disk/d")))

    assert trip.returns <= 13
    assert trip.statements <= 1


def test_recovery_of_a_job_reads_each_thing_once(ledger: Ledger) -> None:
    with ledger.start_owner("engine") as engine:
        trip = shortest(_recoveries(ledger, engine))

    assert trip.returns <= 185
    assert trip.functions.count("Owners.states") == 1
    assert trip.statements <= 13  # jobs, leases, owners, the tree, late reports; and eight to append


def test_a_call_that_does_all_twice_is_found_out(ledger: Ledger) -> None:
    plans = _plans(ledger)
    trip = shortest(partial(lambda pair: [plan() for plan in pair], (next(plans), next(plans))) for _ in count())

    assert trip.returns > PLAN_RETURNS_MAX
    assert trip.statements == 16


def test_what_comes_back_is_counted() -> None:
    assert Trip(files=["a", "a", "b", "a", "a", "c", "b"]).returns == 2
    assert Trip(files=["a", "b", "b", "c"]).returns == 0
    assert taken(lambda: None).functions == []
