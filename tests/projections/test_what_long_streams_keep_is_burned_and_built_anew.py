"""What is looked up in long streams, and the snapshots of their jobs, follow from the events alone."""

from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.domain.decisions import Disposition
from projections.inline import rebuild
from projections.inline.job_status import SNAPSHOT_EVENTS
from projections.inline.views import PROJECTIONS
from tests.projections.conftest import Rows
from tests.store.long import make_long, progress, tell

EVENTS = 2 * SNAPSHOT_EVENTS + 7


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    make_long(ledger, "long", EVENTS)
    tell(ledger, *({"event": "owner_started", "owner": "o", "epoch": epoch} for epoch in range(1, 30)))
    for number in range(EVENTS, EVENTS + 3):
        ledger.record(progress("long", number, id=f"n{number}"))
    ledger.succeed("long")
    tell(ledger, *(progress("long", number, done=0) for number in range(40)))
    return ledger


@pytest.mark.parametrize("view", PROJECTIONS, ids=lambda view: view.name)
def test_each_view_is_built_anew_alone(
    told: Ledger, admin: psycopg.Connection[Any], rows: Rows, view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page it comes to the same rows, whatever was done to them."""
    before = {table: rows(table) for table in view.tables}
    assert all(kept for table, kept in before.items() if table not in ("running_jobs", "damaged"))
    for table in view.tables:
        admin.execute(f"DELETE FROM projections.{table}")
    monkeypatch.setattr(rebuild, "PAGE_EVENTS_MAX", 100)

    assert rebuild.rebuild(admin, [view]) == told.position()

    assert {table: rows(table) for table in view.tables} == before
    assert told.record(progress("long", 700)).disposition is Disposition.UNCHANGED


def test_compare_finds_what_is_missing(told: Ledger, admin: psycopg.Connection[Any]) -> None:
    """Row by row."""
    assert set(rebuild.compare(admin).values()) == {0}
    admin.execute("DELETE FROM projections.told WHERE version IN (100, 101)")
    admin.execute("UPDATE projections.snapshots SET entities = '[1]' WHERE version = %s", (SNAPSHOT_EVENTS,))

    assert rebuild.compare(admin) == {"job_status": 1, "running_jobs": 0, "told": 2}


def test_a_row_for_each_way_to_ask(told: Ledger, admin: psycopg.Connection[Any]) -> None:
    """By content; by an id that a caller gave; and for a late report by what it said. None for the first sixteen."""
    found = admin.execute("SELECT version, count(*) AS n FROM projections.told GROUP BY version ORDER BY 1").fetchall()
    counts = {row["version"]: row["n"] for row in found}

    assert min(counts) == 17
    assert counts[100] == 1
    assert counts[EVENTS + 1] == counts[EVENTS + 3] == 2
    assert counts[EVENTS + 4] == 1
    assert counts[max(counts)] == 2
