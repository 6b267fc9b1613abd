import json
from typing import Any

import psycopg
import pytest

from projections.projection import SQL

ANY = dict.fromkeys(("phase", "outcome", "type", "root", "parent", "silent_for", "entity_type", "entity_id", "before"))
LIST = ANY | {"expired": False, "active": False, "overdue": False, "limit": 500}
ONE_ENTITY = {"types": ["disk"], "ids": ["d4999"]}
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("select_busy", ONE_ENTITY | {"accesses": ["exclusive", "shared", "none"], "besides": None}),
    ("select_busy", ONE_ENTITY | {"accesses": ["exclusive"], "besides": "j49999"}),
    ("select_holders", ONE_ENTITY | {"exclusives": [True]}),
    ("select_present", ONE_ENTITY | {"job_types": ["T"]}),
    ("select_job", {"job": "j49999"}),
    ("select_jobs", LIST),
    ("select_jobs", LIST | {"active": True}),
    ("select_jobs", LIST | {"parent": "j100", "outcome": "failed"}),
    ("select_jobs", LIST | {"before": 20_000}),
    ("select_tree", {"job": "j100"}),
    ("select_branches", {"job": "j100"}),
    ("select_descendants", {"job": "j100"}),
    ("select_children", {"parents": ["j100", "j200"]}),
    ("select_due_to_close", {"limit": 100}),
    ("select_bound", {"executors": ["x"], "external_ids": ["e5"]}),
    ("select_rows", {"jobs": ["j49999"]}),
    ("select_roots", {"jobs": ["j49999"]}),
    ("select_open_intervals", {"jobs": ["j49999"]}),
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
    for name, parameters in QUESTIONS:
        plan = admin.execute(f"EXPLAIN {SQL[name]}", parameters, prepare=False).fetchall()
        read = [row["QUERY PLAN"] for row in plan if "Seq Scan" in row["QUERY PLAN"]]
        assert [line for line in read if "tracking" not in line] == [], (name, parameters)
