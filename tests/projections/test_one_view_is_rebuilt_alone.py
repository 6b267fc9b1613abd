from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from projections.inline import rebuild
from projections.inline.views import PROJECTIONS
from projections.projection import Projection
from tests.projections.conftest import Rows

TABLES = ("job_status", "running_jobs")
OF_JOBS = [view for view in PROJECTIONS if view.name in TABLES]


@pytest.mark.parametrize("view", OF_JOBS, ids=lambda view: view.name)
def test_one_view_is_rebuilt_alone(
    ledger: Ledger, admin: psycopg.Connection[Any], rows: Rows, view: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as the events say, whatever was done to it; the other one stays as it is, and all questions go on."""
    ledger.plan("Move", job="whole", entities=[{"type": "vm", "id": "1"}], children=[{"job": "part", "type": "Copy"}])
    ledger.start("part")
    ledger.attach("part", [{"type": "disk", "id": "1"}])  # its tree is known from a page before
    ledger.succeed("part", products=[{"type": "image", "id": "1"}])
    before = {table: rows(table) for table in TABLES}
    (other,) = set(TABLES) - {view.name}
    admin.execute(f"DELETE FROM projections.{view.name} WHERE job = 'part'")
    admin.execute(f"UPDATE projections.{other} SET root = 'mine' WHERE job = 'whole'")
    marked = rows(other)
    monkeypatch.setattr(rebuild, "PAGE_EVENTS_MAX", 2)
    told: list[tuple[int, int]] = []
    head = ledger.position()

    assert rebuild.rebuild(admin, [view], lambda *said: told.append(said)) == head
    assert rows(view.name) == before[view.name]
    assert rows(other) == marked
    assert [position for position, _ in told][:3] == [2, 4, 5]
    assert {goal for _, goal in told} == {head}
    assert ledger.busy("vm/1").busy
    assert [entity["type"] for entity in ledger.job("part").entities] == ["disk", "image"]
    ledger.succeed("whole")
    admin.execute("UPDATE projections.job_status SET root = 'whole' WHERE job = 'whole'")
    admin.execute("UPDATE projections.running_jobs SET root = 'whole' WHERE job = 'whole'")
    assert set(rebuild.compare(admin).values()) == {0}
