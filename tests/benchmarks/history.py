"""Ledgers with a long history: a database, loaded and filled, and how long that took."""

from dataclasses import dataclass

from tests.benchmarks.bench import Bench, say
from tests.benchmarks.loaded import Size, fill_views, load
from tests.benchmarks.measure import seconds


@dataclass(frozen=True)
class History:
    """A ledger with a history, as its superuser."""

    superuser: str
    size: Size
    events: int
    load_seconds: float


def make(bench: Bench, size: Size) -> History:
    """A ledger with a history of this size; its views are filled by plain SQL and say what a rebuild says."""
    superuser = bench.new_ledger()
    events = 0

    def work() -> None:
        nonlocal events
        events = load(superuser, size)
        fill_views(superuser, size)

    took = seconds(work)
    say(f"  loaded {size.jobs + size.active:,} jobs in {events:,} events in {took:.0f} s")
    return History(superuser, size, events, took)
