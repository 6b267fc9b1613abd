"""A dump of an hour keeps every row that was replaced meanwhile; what is asked beside it reads none of these."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger

APPENDS = 700
BUFFERS_MAX = 12  # a descent and a page for each of two lookups, and pages that were begun meanwhile
NEWEST = "SELECT position FROM {0}.tracking WHERE epoch = (SELECT max(epoch) FROM {0}.tracking)"


@pytest.fixture
def held(superuser: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection


@pytest.mark.parametrize("analyzed", [False, True])
def test_what_a_held_snapshot_keeps_is_not_read_over(
    ledger: Ledger, held: psycopg.Connection, admin: psycopg.Connection[dict[str, Any]], *, analyzed: bool
) -> None:
    """However small the tables were when a plan was made, which then stays."""
    for place in range(3):
        ledger.plan("T", job=f"before-{place}")
        ledger.search(f"job:before-{place}").page()
    if analyzed:
        admin.execute("VACUUM (ANALYZE) projections.tracking, history.tracking")
    for schema in ("projections", "history"):
        admin.execute(f"PREPARE {schema}_newest AS {NEWEST.format(schema)}")
        assert _buffers(admin, schema) <= BUFFERS_MAX
    held.execute("SELECT FROM ledger.stored_events LIMIT 1")

    for place in range(APPENDS):
        ledger.plan("T", job=f"beside-{place}")
        ledger.search(f"job:beside-{place}").page()

    for schema in ("projections", "history"):
        assert _buffers(admin, schema) <= BUFFERS_MAX
        kept = admin.execute(f"SELECT pg_relation_size('{schema}.tracking') AS bytes").fetchone()
        assert kept is not None
        assert kept["bytes"] > APPENDS * 40  # bytes of a row: nothing was cleared


def test_a_view_that_is_alone_in_going_on_keeps_the_others_where_they_are(
    ledger: Ledger, admin: psycopg.Connection[dict[str, Any]]
) -> None:
    for place in range(100):
        ledger.plan("T", job=f"j{place}")
    admin.execute("UPDATE projections.tracking SET position = 0 WHERE view = 'told'")

    ledger.plan("T", job="next")

    rows = admin.execute("SELECT view, position, epoch FROM projections.tracking ORDER BY view").fetchall()
    assert [tuple(row.values()) for row in rows] == [("job_status", 101, 1), ("running_jobs", 101, 1), ("told", 101, 1)]


def _buffers(admin: psycopg.Connection[dict[str, Any]], schema: str) -> int:
    rows = admin.execute(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE {schema}_newest").fetchall()
    lines = [row["QUERY PLAN"] for row in rows]
    found = re.search(r"Buffers: shared hit=(\d+)", "\n".join(lines))
    assert found is not None, lines
    return int(found.group(1))
