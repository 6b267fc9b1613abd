from typing import Any

import psycopg

from ledger.application import Ledger
from projections.inline import rebuild


def test_compare_counts_the_rows_that_differ(ledger: Ledger, admin: psycopg.Connection[Any]) -> None:
    """A changed row, a missing one and one too many count once each, and a rebuild mends them."""
    for number in range(4):
        ledger.plan("Build", job=f"j{number}", entities=[{"type": "vm", "id": str(number)}])
    admin.execute("UPDATE projections.job_status SET phase = 'closed' WHERE job = 'j0'")
    admin.execute("DELETE FROM projections.job_status WHERE job = 'j1'")
    admin.execute("UPDATE projections.running_jobs SET job = 'ghost' WHERE job = 'j2'")
    assert rebuild.compare(admin) == {"job_status": 2, "running_jobs": 2, "told": 0}
    rebuild.rebuild(admin)
    assert set(rebuild.compare(admin).values()) == {0}
    found = admin.execute("SELECT count(*) AS n FROM pg_class WHERE relnamespace = 'projections_rebuild'::regnamespace")
    assert found.fetchall() == [{"n": 0}]
