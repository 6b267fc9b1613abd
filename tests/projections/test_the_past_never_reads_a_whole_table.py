from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from ledger.asking.answers import JobFilter
from ledger.domain.entities import EntityRef
from ledger.store.connection import configure
from projections.followed import follower
from projections.followed.activity import Activity
from projections.queries.past import PastQueries
from tests.benchmarks.loaded import Size, fill_views, load

SIZE = Size(jobs=33_000, active=100)  # 10,000 of which were on disk/busy, one after the other
BUSY = [EntityRef(type="disk", id="busy")]
AT = datetime(2026, 1, 1, 1, 12, 0, tzinfo=UTC)  # within the second in which job 4,320 came and went
TABLES = ("activity", "job_status", "running_jobs", "stored_events")
READ = """
SELECT sum(seq_scan)::int AS scans, sum(coalesce(idx_tup_fetch, 0))::int AS rows
FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)
"""
Ask = Callable[[PastQueries, int], object]
QUESTIONS: list[tuple[str, Ask]] = [
    ("position", lambda past, position: past.find(position, occurred=False)),
    ("time", lambda past, position: past.find(past.find(position, occurred=False).at, occurred=False)),
    ("job", lambda past, position: past.job(past.find(position, occurred=False), "j4320")),
    ("tree", lambda past, position: past.tree(past.find(position, occurred=False), "j4320")),
    ("busy", lambda past, position: past.busy(past.find(position, occurred=False), BUSY)),
    ("busy by their clocks", lambda past, position: past.busy(past.find(AT, occurred=True), BUSY)),
    ("active", lambda past, position: list(past.active(past.find(position, occurred=False), JobFilter(), limit=50))),
    ("active by their clocks", lambda past, position: list(past.active(past.find(AT, occurred=True), JobFilter()))),
    (
        "difference",
        lambda past, position: list(
            past.told_between(past.find(position - 10, occurred=False), past.find(position, occurred=False))
        ),
    ),
]


@pytest.mark.parametrize("analyzed", [False, True])
def test_the_past_never_reads_a_whole_table(superuser: str, admin: psycopg.Connection[Any], analyzed: bool) -> None:
    """Over 100,000 events every question goes by indexes to a few rows, before and after the first ANALYZE."""
    for table in ("ledger.stored_events", "projections.job_status", "projections.running_jobs", "history.activity"):
        admin.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    head = load(superuser, SIZE)
    fill_views(superuser, SIZE)
    follower.follow(admin, projections=[Activity()])
    if analyzed:
        admin.execute("ANALYZE")
    configure(admin)
    past = PastQueries(lambda: nullcontext(admin))
    for name, ask in QUESTIONS:
        for position in (12_960, 20_000, head):
            admin.execute("SELECT pg_stat_force_next_flush()")  # of what was read before
            with admin.transaction(force_rollback=True):
                ask(past, position)
                (row,) = admin.execute(READ, (list(TABLES),)).fetchall()
            assert (row["scans"], row["rows"] < 1_000) == (0, True), (name, position, row)
