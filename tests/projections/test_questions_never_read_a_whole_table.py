import json
from typing import Any

import psycopg
import pytest
from psycopg import ClientCursor
from psycopg.rows import dict_row

from ledger.store.connection import configure
from projections.statements import SQL

ANY = dict.fromkeys(("phase", "outcome", "type", "root", "parent", "silent_for", "entity_type", "entity_id", "before"))
LIST = ANY | {"expired": False, "active": False, "overdue": False, "limit": 500}
ONE_ENTITY = {"types": ["disk"], "ids": ["d4999"]}
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("select_busy", ONE_ENTITY | {"accesses": ["exclusive", "shared", "none"], "besides": None}),
    ("select_busy", ONE_ENTITY | {"accesses": ["exclusive"], "besides": "j49999"}),
    ("select_holders", {"demands": json.dumps([{"type": "disk", "id": "d4999", "access": "exclusive"}])}),
    ("select_present", {"limits": json.dumps([{"job_type": "T", "type": "disk", "id": "d4999"}])}),
    ("select_job", {"job": "j49999"}),
    ("select_jobs", LIST),
    ("select_jobs", LIST | {"active": True}),
    ("select_jobs", LIST | {"parent": "j100", "outcome": "failed"}),
    ("select_jobs", LIST | {"before": 20_000}),
    ("select_tree", {"job": "j100"}),
    ("select_branches", {"job": "j100"}),
    ("select_descendants", {"job": "j100"}),
    ("select_children", {"parents": json.dumps(["j100", "j200"])}),
    ("select_due_to_close", {"limit": 100}),
    ("select_bound", {"names": json.dumps([{"executor": "x", "external_id": "e5"}])}),
    ("select_rows", {"jobs": ["j49999"]}),
    ("select_roots", {"jobs": ["j49999"]}),
    ("select_open_intervals", {"jobs": ["j49999"]}),
]
ABOUT_ALL_ACTIVE: list[tuple[str, dict[str, Any]]] = [  # how many there are is known only once a table was analysed
    ("select_unsettled", {"executors": ["x"], "external_ids": ["e5"], "tokens": ["t5"]}),
    ("select_owners", {}),
]
ROW = {
    "type": "T", "required": True, "cancellable": True, "cancel_requested": False, "contact_lost": False,
    "held": False, "expired": False, "disputed": False, "residue": False, "executor": "x", "planned_at": "now",
    "last_event": "started", "last_at": "now", "recorded_at": "now", "version": 1,
}  # fmt: skip
FILL_JOBS = """
INSERT INTO job_status
SELECT made.*
FROM generate_series(1, 50000) AS i, jsonb_populate_record(NULL::job_status, %(row)s::jsonb || jsonb_build_object(
    'job', 'j' || i, 'root', 'j' || i / 10 * 10, 'parent', CASE WHEN i %% 10 <> 0 THEN 'j' || i / 10 * 10 END,
    'depth', CASE WHEN i %% 10 = 0 THEN 1 ELSE 2 END, 'end_action', CASE WHEN i %% 10 = 0 THEN 'owner' ELSE 'none' END,
    'phase', CASE WHEN i > 49500 THEN 'running' ELSE 'closed' END,
    'outcome', CASE WHEN i <= 49500 THEN 'succeeded' END,
    'external_id', 'e' || i, 'planned_position', i, 'position', i
)) AS made
"""
SCANS = """
SELECT sum(seq_scan)::int AS scans FROM pg_stat_xact_user_tables WHERE relname IN ('job_status', 'running_jobs')
"""
FILL_INTERVALS = """
INSERT INTO running_jobs
SELECT 'j' || i, 'j' || i / 10 * 10, 'disk', 'd' || i %% 5000, 'target', 'exclusive', i, now(),
    CASE WHEN i <= 49500 THEN i + 1 END, CASE WHEN i <= 49500 THEN now() END
FROM generate_series(1, 50000) AS i
"""


@pytest.mark.parametrize("analyzed", [False, True])
def test_questions_never_read_a_whole_table(admin: psycopg.Connection[Any], analyzed: bool) -> None:
    """Over 50,000 jobs each question goes by an index, before and after the first ANALYZE."""
    admin.execute("SET search_path = projections, pg_catalog")
    admin.execute("ALTER TABLE job_status SET (autovacuum_enabled = off)")
    admin.execute("ALTER TABLE running_jobs SET (autovacuum_enabled = off)")
    admin.execute(FILL_JOBS, {"row": json.dumps(ROW)})
    admin.execute(FILL_INTERVALS.replace("%%", "%"))
    if analyzed:
        admin.execute("ANALYZE job_status, running_jobs")
    configure(admin)
    for name, parameters in QUESTIONS + (ABOUT_ALL_ACTIVE if analyzed else []):
        with admin.transaction(force_rollback=True):
            # As the ledger asks: whatever the filters of a list, its planner sees them.
            asking = ClientCursor if name == "select_jobs" else psycopg.Cursor
            asking(admin, row_factory=dict_row).execute(SQL[name], parameters)
            (row,) = admin.execute(SCANS).fetchall()
        assert row["scans"] == 0, (name, parameters)
