"""What a question costs, and a lone write, as history grows from 10 thousand jobs to a million, against `SELECT 1`."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from ledger.store.datastore import Datastore
from projections.inline import rebuild
from tests.benchmarks.bench import Bench, Findings, say, writer
from tests.benchmarks.callers import transitions
from tests.benchmarks.history import History, make
from tests.benchmarks.loaded import Size
from tests.benchmarks.measure import Sample, Series, Spread, interleave, latencies, millis, ratio, spreads

SIZES = (10_000, 100_000, 1_000_000)
ACTIVE, BUSY = 100, 3
CALLS = 100
QUESTIONS = ("busy", "busy_jobs", "list_active", "show", "tree", "write")


def measure(bench: Bench) -> Findings:
    """The p50 of every question at every size, turn by turn."""
    events_each = 10 if bench.full else 3
    histories = [make(bench, Size(jobs, ACTIVE, events_each, BUSY)) for jobs in SIZES]
    differing = compare(histories[0])
    with ExitStack() as stack:
        sides: dict[str, Callable[[], Sample]] = {"select_1": _select_1(stack, histories[0])}
        for history in histories:
            ledger = stack.enter_context(assemble(writer(history.superuser)))
            for name, question in questions(ledger, history.size).items():
                sides[f"{name}_{history.size.jobs}"] = partial(_ask, question)
        for side in sides.values():
            side()  # statements are prepared, pages are in memory
        shown = interleave(sides, bench.budget(18, 60))
    for history in histories:
        bench.drop(history.superuser)
    return Findings(ratios=_ratios(shown), figures=_figures(shown, histories, differing), notes=(_note(events_each),))


def compare(history: History) -> dict[str, int]:
    """How many rows of the views differ from what a rebuild gives; none may."""
    with connect(history.superuser) as connection:
        differing = rebuild.compare(connection)
    assert not any(differing.values()), differing
    say(f"  the views of {history.size.jobs:,} jobs say what a rebuild says")
    return differing


def questions(ledger: Ledger, size: Size) -> dict[str, Callable[[], object]]:
    """What is asked, each by the name of its figure; a job that is shown is drawn at random."""
    chance = random.Random(size.jobs)
    active = JobFilter(active=True)

    def drawn() -> str:
        return f"j{chance.randrange(size.jobs)}"

    return {
        "busy": lambda: ledger.busy("disk/busy").busy,
        "busy_jobs": lambda: list(ledger.busy("disk/busy").jobs),
        "list_active": lambda: list(ledger.jobs(active, limit=50)),
        "show": lambda: ledger.job(drawn()),
        "tree": lambda: ledger.tree(drawn()),
        "write": transitions(ledger, "lone"),
    }


def _select_1(stack: ExitStack, history: History) -> Callable[[], Sample]:
    datastore = Datastore(writer(history.superuser))
    stack.callback(datastore.close)

    def ask() -> None:
        with datastore.connection() as connection:
            connection.execute("SELECT 1").fetchall()

    return partial(_ask, ask)


def _ask(question: Callable[[], object]) -> Sample:
    return millis(latencies(question, CALLS))


def _ratios(shown: dict[str, Series]) -> dict[str, Spread | None]:
    first, last = SIZES[0], SIZES[-1]
    p50 = {name: series["p50_ms"] for name, series in shown.items()}
    return {
        "busy_ratio": ratio(p50[f"busy_{last}"], p50["select_1"]),
        "busy_flatness": ratio(p50[f"busy_{last}"], p50[f"busy_{first}"]),
    }


def _figures(shown: dict[str, Series], histories: list[History], differing: dict[str, int]) -> dict[str, object]:
    p50 = {name: series["p50_ms"] for name, series in shown.items()}
    first, last = SIZES[0], SIZES[-1]
    of_select_1 = {name: ratio(p50[f"{name}_{last}"], p50["select_1"]) for name in QUESTIONS}
    flatness = {name: ratio(p50[f"{name}_{last}"], p50[f"{name}_{first}"]) for name in QUESTIONS}
    loaded = {history.size.jobs: {"events": history.events, "seconds": history.load_seconds} for history in histories}
    return {
        **spreads(shown),
        "of_select_1": of_select_1,
        "flatness": flatness,
        "loaded": loaded,
        "rows_that_differ_from_a_rebuild": differing,
    }


def _note(events_each: int) -> str:
    return (
        f"{events_each} events a job by COPY, views by plain SQL (compared with a rebuild at {SIZES[0]:,} jobs); "
        f"{BUSY} active and 10,000 past jobs on the entity, {ACTIVE} active jobs in all; {CALLS} calls a round"
    )
