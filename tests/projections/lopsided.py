"""Views in which one name is borne by most: a parent of ten thousand children, an entity that all of them hold.

Beside it are two small trees of ten, each on a disk of its own. What a planner expects of a name, it takes from
all of them together.
"""

from collections.abc import Mapping
from typing import Any

import psycopg

FILL = """
ALTER TABLE job_status SET (autovacuum_enabled = off);
ALTER TABLE running_jobs SET (autovacuum_enabled = off);
INSERT INTO job_status (
    job, root, parent, depth, end_action, phase, outcome, executor, external_id, token, owner, planned_position,
    version, type, required, cancel_requested, contact_lost, held, expired, disputed, last_at, retry_of, document,
    entities
)
SELECT
    job, root, nullif(parent, job), CASE WHEN parent = job THEN 1 ELSE 2 END, 'auto',
    CASE WHEN n % 2 = 0 THEN 'running' ELSE 'closed' END, CASE WHEN n % 2 = 1 THEN 'succeeded' END,
    'x', 'e' || job, 't' || job, 'engine', row_number() OVER (ORDER BY root, n), 1, 'T', true, false, false, false,
    false, false, now(), CASE WHEN n = 5 THEN root || '/1' END, json_build_object(
        'job', job, 'root', root, 'phase', CASE WHEN n % 2 = 0 THEN 'running' ELSE 'closed' END, 'version', 1,
        'type', 'T', 'planned_position', 1, 'position', 1, 'planned_at', now(), 'last_at', now()
    ), '[]'
FROM (
    SELECT 'big' AS root, n, CASE n WHEN 0 THEN 'big' ELSE 'big/' || n END AS job, 'big' AS parent
    FROM generate_series(0, 10000) AS n
    UNION ALL
    SELECT 's' || t, n, CASE n WHEN 0 THEN 's' || t ELSE 's' || t || '/' || n END, 's' || t
    FROM generate_series(7, 8) AS t, generate_series(0, 9) AS n
) AS tree;
INSERT INTO running_jobs
SELECT
    job, root, 'disk', CASE root WHEN 'big' THEN 'hot' ELSE root END, 'target', 'shared', planned_position, now(),
    CASE WHEN outcome IS NOT NULL THEN planned_position + 1 END, CASE WHEN outcome IS NOT NULL THEN now() END
FROM job_status;
"""
READ = """
SELECT coalesce(sum(seq_scan), 0)::int AS scans, coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::int AS rows
FROM pg_stat_xact_user_tables
WHERE relname IN ('job_status', 'running_jobs', 'stored_events')
"""


def fill(superuser: str) -> None:
    """Fill the views of an empty ledger; nothing analyses them of itself."""
    with psycopg.connect(superuser, options="-c search_path=projections,pg_catalog") as connection:
        connection.execute(FILL)


def read_by(session: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> tuple[int, int]:
    """How many tables a statement goes through from end to end, and how many rows it reads."""
    with session.transaction(force_rollback=True):
        before = session.execute(READ).fetchall()[0]
        session.execute(statement, parameters)
        after = session.execute(READ).fetchall()[0]
    return after["scans"] - before["scans"], after["rows"] - before["rows"]
