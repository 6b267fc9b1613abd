"""Filling the search index from events, against a reading of the rows alone; and what questions cost at a million."""

from collections.abc import Callable
from functools import partial

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from projections.followed import follower
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.history import make
from tests.benchmarks.loaded import Size
from tests.benchmarks.measure import Sample, Spread, interleave, latencies, millis, ratio, seconds, spreads
from tests.benchmarks.rebuild import read

EVENTS_EACH, ACTIVE = 4, 3
FILLED_JOBS, SEARCHED_JOBS = 50_000, 250_000
CALLS = 20
QUESTIONS = {
    "newest": "",
    "entity": "entity:disk/d20000",
    "busy_entity": "entity:disk/busy",
    "actor_failed": "actor:a7 outcome:failed,unknown",
    "type_and_actor": "type:BackupDisk actor:a7",
    "job": "job:j100",
    "under": "under:j100",
    "span": "position:500000..500100",
    "text_of_actor": 'text:"disk full" actor:a7',
}


def measure(bench: Bench) -> Findings:
    """Events a second into the index, and the p50 of each question."""
    filled = _fill(bench)
    asked = _search(bench)
    slowest = max((spread["p50_ms"] for spread in asked.values()), key=lambda spread: spread.median)
    return Findings(
        ratios={"history_events_per_s": filled["fill_per_s"], "search_ms": slowest},
        figures={**filled, **asked},
        notes=(
            f"{FILLED_JOBS * EVENTS_EACH:,} events filled, {SEARCHED_JOBS * EVENTS_EACH:,} searched for a page of 50",
            "search_ms is the p50 of the slowest question",
        ),
    )


def _fill(bench: Bench) -> dict[str, Spread]:
    superuser = make(bench, Size(FILLED_JOBS, ACTIVE, EVENTS_EACH)).superuser
    sides: dict[str, Callable[[], Sample]] = {"fill": partial(_follow, superuser), "read": partial(read, superuser)}
    shown = interleave(sides, bench.budget(5, 15))
    bench.drop(superuser)
    rates = {name: series["per_s"] for name, series in shown.items()}
    return {
        "fill_per_s": spreads(shown)["fill"]["per_s"],
        "read_per_s": spreads(shown)["read"]["per_s"],
        "fill_of_read": ratio(rates["fill"], rates["read"]),
    }


def _follow(superuser: str) -> Sample:
    with connect(superuser) as connection:
        follower.empty(connection)
        took = seconds(lambda: follower.follow(connection))
        (reached,) = (row for row in follower.reached(connection) if row["view"] == "history")
    return {"per_s": reached["position"] / took}


def _search(bench: Bench) -> dict[str, dict[str, Spread]]:
    superuser = make(bench, Size(SEARCHED_JOBS, ACTIVE, EVENTS_EACH)).superuser
    with connect(superuser) as connection:
        follower.follow(connection)
        connection.execute("VACUUM (ANALYZE) history.entries, history.touched, history.jobs")
    with assemble(writer(superuser)) as ledger:
        sides = {name: partial(_ask, ledger, text) for name, text in QUESTIONS.items()}
        shown = interleave(sides, bench.budget(9, 20))
    bench.drop(superuser)
    return spreads(shown)


def _ask(ledger: Ledger, text: str) -> Sample:
    return millis(latencies(lambda: ledger.search(text).page(limit=50), CALLS))
