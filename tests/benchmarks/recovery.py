"""What a plan of recovery costs with 10,000 active jobs, over 100 thousand events and over a million."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from ledger.application import Ledger
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.history import make
from tests.benchmarks.loaded import Size
from tests.benchmarks.measure import Sample, interleave, ratio, seconds, spreads

ACTIVE, EVENTS_EACH, EVENTS_OF_ACTIVE = 10_000, 3, 2
HISTORIES = (100_000, 1_000_000)  # events


def measure(bench: Bench) -> Findings:
    """How long a plan takes over each history, turn by turn."""
    made = [make(bench, _size(events)) for events in HISTORIES]
    with ExitStack() as stack:
        sides: dict[str, Callable[[], Sample]] = {}
        for events, history in zip(HISTORIES, made, strict=True):
            ledger = stack.enter_context(assemble(writer(history.superuser)))
            assert len(_plan(ledger)) == ACTIVE
            sides[f"plan_{events}"] = partial(_timed, ledger)
        shown = interleave(sides, bench.budget(7, 25))
    for history in made:
        bench.drop(history.superuser)
    short, long = (shown[f"plan_{events}"]["seconds"] for events in HISTORIES)
    return Findings(
        ratios={"recovery_plan_s": spreads(shown)[f"plan_{HISTORIES[-1]}"]["seconds"]},
        figures={**spreads(shown), "flatness": ratio(long, short)},
        notes=(f"{ACTIVE:,} active jobs, which nobody answers for, and no executor to ask",),
    )


def _size(events: int) -> Size:
    return Size((events - ACTIVE * EVENTS_OF_ACTIVE) // EVENTS_EACH, ACTIVE, EVENTS_EACH)


def _plan(ledger: Ledger) -> list[object]:
    return list(Recovery(ledger).plan().verdicts)


def _timed(ledger: Ledger) -> Sample:
    return {"seconds": seconds(lambda: _plan(ledger))}
