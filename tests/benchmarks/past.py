"""What a question costs as of a position far back, as the ledger grows from 10 thousand events to 1 or 10 million."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg

from ledger.application import Ledger
from ledger.service.assembly import assemble
from projections.followed.activity import Activity
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.history import History, make
from tests.benchmarks.loaded import Size
from tests.benchmarks.measure import Sample, interleave, latencies, millis, ratio, spreads

EVENTS, EVENTS_FULL = (10_000, 1_000_000), (10_000, 1_000_000, 10_000_000)
EVENTS_EACH, ACTIVE, BUSY = 3, 100, 3
CALLS = 200
QUESTIONS = ("position_of_time", "show", "history", "tree", "busy", "list_active", "diff_of_100")


def measure(bench: Bench) -> Findings:
    """The p50 of every question as of random positions, at every size, turn by turn."""
    sizes = EVENTS_FULL if bench.full else EVENTS
    histories = [make(bench, Size(events // EVENTS_EACH, ACTIVE, EVENTS_EACH, BUSY)) for events in sizes]
    with ExitStack() as stack:
        sides: dict[str, Callable[[], Sample]] = {}
        for events, history in zip(sizes, histories, strict=True):
            fill_activity(history.superuser)
            ledger = stack.enter_context(assemble(writer(history.superuser)))
            for name, question in questions(ledger, history).items():
                sides[f"{name}_{events}"] = partial(_ask, question)
        for side in sides.values():
            side()  # statements are prepared, pages are in memory
        shown = interleave(sides, bench.budget(9, 30))
    for history in histories:
        bench.drop(history.superuser)
    p50 = {name: series["p50_ms"] for name, series in shown.items()}
    flatness = {name: ratio(p50[f"{name}_{sizes[-1]}"], p50[f"{name}_{sizes[0]}"]) for name in QUESTIONS}
    return Findings(
        ratios={"as_of_busy_ms": spreads(shown)[f"busy_{sizes[-1]}"]["p50_ms"], "as_of_flatness": flatness["busy"]},
        figures={**spreads(shown), "flatness": flatness},
        notes=(
            f"{EVENTS_EACH} events a job, one job after the other; 10,000 of them on the entity",
            f"each question as of a random position, which is looked up first; {CALLS} calls a round",
        ),
    )


def fill_activity(superuser: str) -> None:
    """Let the followed view of a ledger whose views were filled say what following it would make it say."""
    with psycopg.connect(superuser, autocommit=True) as connection, connection.transaction():
        connection.execute("SET LOCAL work_mem = '256MB'")
        connection.execute(Path(__file__).with_name("fill_activity.sql").read_bytes())
        connection.execute(
            "INSERT INTO history.tracking SELECT %s, %s, max(notification_id) FROM ledger.stored_events",
            (Activity.name, Activity.version),
        )
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) history.activity, history.tracking")


def questions(ledger: Ledger, history: History) -> dict[str, Callable[[], object]]:
    """What is asked, each by the name of its figure, as of a position that is drawn at random."""
    chance = random.Random(history.events)
    past = history.size.jobs * EVENTS_EACH
    on_the_entity = min(10_000, history.size.jobs) * EVENTS_EACH
    first, last = ledger.as_of(1).at, ledger.as_of(past).at

    def drawn(end: int = past) -> int:
        return chance.randint(101, end)

    def job_at(position: int) -> str:
        return f"j{(position - 1) // EVENTS_EACH}"

    def of_a_job(ask: Callable[[int], object]) -> Callable[[], object]:
        return lambda: ask(drawn())

    return {
        "position_of_time": lambda: ledger.as_of(first + (last - first) * chance.random()),
        "show": of_a_job(lambda position: ledger.as_of(position).job(job_at(position))),
        "history": of_a_job(lambda position: ledger.as_of(position).history(job_at(position))),
        "tree": of_a_job(lambda position: ledger.as_of(position).tree(job_at(position))),
        "busy": lambda: ledger.as_of(drawn(on_the_entity)).busy("disk/busy"),
        "list_active": lambda: list(ledger.as_of(drawn()).jobs(limit=50)),
        "diff_of_100": of_a_job(lambda position: ledger.as_of(position - 100).diff(ledger.as_of(position))),
    }


def _ask(question: Callable[[], object]) -> Sample:
    return millis(latencies(question, CALLS))
