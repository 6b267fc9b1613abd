from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from projections.inline import rebuild
from tests.projections.conftest import Rows


def test_rebuild_keeps_times_in_any_time_zone(
    ledger: Ledger, admin: psycopg.Connection[Any], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session elsewhere, with another style of dates, folds the same rows."""
    ledger.plan("Build", job="a", entities=[{"type": "vm", "id": "1"}], at="2026-07-01T00:00:00Z")
    ledger.start("a", at="9999-12-31T23:59:59.999999Z")
    ledger.progress("a", 5, at="1970-01-01T00:00:00Z")
    ledger.fail("a")
    monkeypatch.setattr(rebuild, "PAGE_EVENTS_MAX", 1)  # each event is folded into a row that was read back
    before = rows("job_status"), rows("running_jobs")
    admin.execute("SET timezone = 'Asia/Kathmandu'; SET datestyle = 'German'")
    rebuild.rebuild(admin)
    admin.execute("RESET timezone; RESET datestyle")
    assert (rows("job_status"), rows("running_jobs")) == before
