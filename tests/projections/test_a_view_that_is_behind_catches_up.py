from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import ViewBehind
from projections.inline import rebuild
from tests.projections.conftest import insert_past_the_views

Admin = psycopg.Connection[dict[str, Any]]


def test_a_view_that_is_a_thousand_events_behind_catches_up(ledger: Ledger, admin: Admin) -> None:
    """The next append takes in what the views have missed, before it decides."""
    insert_past_the_views(admin, 1_000)
    assert [view["lag"] for view in rebuild.reached(admin)] == []
    assert ledger.start("raw999").position == 1_001
    assert ledger.job("raw0").phase == "planned"
    assert ledger.job("raw999").phase == "running"
    assert [view["lag"] for view in rebuild.reached(admin)] == [0, 0, 0]


def test_a_view_that_is_further_behind_stops_appends_until_it_is_rebuilt(ledger: Ledger, admin: Admin) -> None:
    """The append fails and names the remedy, and the remedy works."""
    ledger.plan("Build", job="known")
    insert_past_the_views(admin, 1_001)
    with pytest.raises(ViewBehind, match="jobledger projections rebuild") as caught:
        ledger.start("known")
    assert caught.value.facts == {"view": "job_status", "position": 1, "head": 1_002}
    assert ledger.position() == 1_002
    assert rebuild.rebuild(admin) == 1_002
    ledger.start("known")
    assert ledger.job("known").phase == "running"


def test_a_view_of_another_version_stops_appends_until_it_is_rebuilt(ledger: Ledger, admin: Admin) -> None:
    """Rows that an older release has folded are not mixed with new ones."""
    ledger.plan("Build", job="known")
    admin.execute("UPDATE projections.tracking SET version = 0 WHERE view = 'running_jobs'")
    with pytest.raises(ViewBehind):
        ledger.start("known")
    rebuild.rebuild(admin)
    assert ledger.start("known").position == 2
