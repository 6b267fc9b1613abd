"""A dump of an hour keeps every row that was replaced meanwhile; what is asked beside it reads none of these."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.domain.entities import Access
from projections.queries.now import BUSY_ON_ONE
from projections.statements import FOLLOWED, INLINE, SHARED

REPLACED = 20_000
BUFFERS_MAX = 40  # a descent and a page for each of a few lookups
HELD_LONG = f"""
DO $$ BEGIN
    FOR place IN 1..{REPLACED} LOOP
        UPDATE projections.tracking SET position = place;
        UPDATE history.tracking SET position = place;
        COMMIT;
    END LOOP;
    UPDATE projections.tracking SET position = (SELECT max(notification_id) FROM ledger.stored_events);
    UPDATE history.tracking SET position = (SELECT max(notification_id) FROM ledger.stored_events);
END $$
"""
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "busy": (BUSY_ON_ONE, {"type": "vm", "id": "1", "accesses": list(Access), "besides": None}),
    "position": (SHARED["select_position"], {}),
    "tracking": (INLINE["select_tracking"], {"known": 0, "mark": b""}),
    "followed": (FOLLOWED["select_followed"], {"views": ["history", "activity"], "versions": [1, 1]}),
    "written": (
        "WITH reached AS (SELECT 103 AS position) " + SHARED["move_tracking"],
        {"views": ["job_status", "running_jobs", "told"], "before": 103},
    ),
}


@pytest.fixture
def held(superuser: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection


@pytest.mark.parametrize("looked_at", ["never", "before", "meanwhile"])
def test_what_a_held_snapshot_keeps_is_not_read_over(
    ledger: Ledger, held: psycopg.Connection, admin: psycopg.Connection[dict[str, Any]], looked_at: str
) -> None:
    """Whatever was known of how the tables are filled when a plan was made, which then stays."""
    for place in range(103):
        ledger.plan("T", job=f"before-{place}")
    ledger.search("job:before-1").page()
    if looked_at == "before":
        admin.execute("VACUUM (ANALYZE) projections.tracking, history.tracking")
    assert {name: count for name, count in _read(admin).items() if count > BUFFERS_MAX} == {}
    held.execute("SELECT FROM ledger.stored_events LIMIT 1")

    admin.execute("SET synchronous_commit = off")
    admin.execute(HELD_LONG)
    if looked_at == "meanwhile":
        admin.execute("VACUUM (ANALYZE) projections.tracking, history.tracking")

    assert {name: count for name, count in _read(admin).items() if count > BUFFERS_MAX} == {}
    kept = admin.execute("SELECT pg_relation_size('projections.tracking') AS bytes").fetchone()
    assert kept is not None
    assert kept["bytes"] > REPLACED * 3 * 40  # bytes of a row: nothing was cleared
    ledger.plan("T", job="beside")
    assert ledger.busy("vm/1").position == 104
    assert len(ledger.search("job:beside").page().entries) == 1


def test_a_view_that_is_epochs_behind_is_found_and_brought_to_the_others(
    ledger: Ledger, admin: psycopg.Connection[dict[str, Any]]
) -> None:
    for place in range(200):
        ledger.plan("T", job=f"j{place}")
    admin.execute("UPDATE projections.tracking SET position = 3 WHERE view = 'told'")
    assert ledger.busy("vm/1").position == 3
    assert ledger.roll_up("j7").position == 3
    assert ledger.unsettled([]).position == 3

    ledger.plan("T", job="next")

    rows = admin.execute("SELECT view, position, epoch FROM projections.tracking ORDER BY view").fetchall()
    assert [tuple(row.values()) for row in rows] == [("job_status", 201, 3), ("running_jobs", 201, 3), ("told", 201, 3)]
    assert ledger.busy("vm/1").position == 201


def _read(admin: psycopg.Connection[dict[str, Any]]) -> dict[str, int]:
    """How many pages each statement reads, by a plan that was made for any parameters."""
    admin.execute("SET plan_cache_mode = force_generic_plan")
    found = {}
    for name, (statement, parameters) in ASKED.items():
        with admin.transaction(force_rollback=True):
            rows = admin.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}".encode(), parameters).fetchall()
        lines = "\n".join(row["QUERY PLAN"] for row in rows)
        counted = re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", lines)
        assert counted is not None, lines
        found[name] = sum(int(each or 0) for each in counted.groups())
    return found
