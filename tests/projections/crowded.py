"""Views of 100 thousand jobs, filled by plain SQL in a second, and what a question reads of them.

The jobs are in trees of ten. The first 500 are active, so that whoever goes through all jobs to find them goes a long
way. Each has a disk of its own but for every tenth, which were all on `disk/hot` and have a document of several pages.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import ClientCursor
from psycopg.rows import dict_row

from projections.queries.now import BUSY_ON_ONE, BUSY_ON_SEVERAL, LIST_ALL, LIST_TOUCHING
from projections.statements import FOLLOWED, INLINE, QUERIES

LISTS = {"list_all": LIST_ALL, "list_touching": LIST_TOUCHING}
STATEMENTS = {**INLINE, **FOLLOWED, **QUERIES, **LISTS, "busy_on_one": BUSY_ON_ONE, "busy_on_several": BUSY_ON_SEVERAL}
JOBS, ACTIVE = 100_000, 500
ROWS_MAX = 5_000  # that a question may read; of the two tables each has 100 thousand
FILL = f"""
ALTER TABLE job_status SET (autovacuum_enabled = off);
ALTER TABLE running_jobs SET (autovacuum_enabled = off);
INSERT INTO job_status (
    job, root, parent, depth, end_action, phase, outcome, executor, external_id, planned_position, version, type,
    required, cancel_requested, contact_lost, held, expired, disputed, last_at, document, entities
)
SELECT
    'j' || i, 'j' || i / 10 * 10, CASE WHEN i % 10 <> 0 THEN 'j' || i / 10 * 10 END,
    CASE WHEN i % 10 = 0 THEN 1 ELSE 2 END, CASE WHEN i % 10 = 0 THEN 'owner' ELSE 'none' END,
    CASE WHEN i < {ACTIVE} THEN 'running' ELSE 'closed' END, CASE WHEN i >= {ACTIVE} THEN 'succeeded' END,
    'x', 'e' || i, i, 1, 'T', true, false, false, false, false, false, now(),
    json_build_object('job', 'j' || i, 'params', CASE WHEN i % 10 = 3 THEN noise.chunks END), '[]'
FROM generate_series(0, {JOBS - 1}) AS i
CROSS JOIN (SELECT array_agg(md5(n::text)) AS chunks FROM generate_series(1, 200) AS n) AS noise;
INSERT INTO running_jobs
SELECT
    'j' || i, 'j' || i / 10 * 10, 'disk', CASE WHEN i % 10 = 3 THEN 'hot' ELSE 'd' || i END, 'target', 'exclusive',
    i, now(), CASE WHEN i >= {ACTIVE} THEN i + 1 END, CASE WHEN i >= {ACTIVE} THEN now() END
FROM generate_series(0, {JOBS - 1}) AS i
"""
READ = """
SELECT sum(seq_scan)::int AS scans, sum(seq_tup_read + idx_tup_fetch)::int AS rows
FROM pg_stat_xact_user_tables
WHERE relname IN ('job_status', 'running_jobs')
"""
DOCUMENTS_READ = """
SELECT idx_scan::int AS documents
FROM pg_stat_xact_all_tables
WHERE relid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'projections.job_status'::regclass)
"""


def fill(superuser: str) -> None:
    """Fill the views of an empty ledger; nothing analyses them of itself."""
    with psycopg.connect(superuser, options="-c search_path=projections,pg_catalog") as connection:
        connection.execute(FILL)


def check(session: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> None:
    """Ask, and fail where a table was gone through from end to end, by itself or by an index."""
    with session.transaction(force_rollback=True):
        before = session.execute(READ).fetchall()[0]
        _ask(session, statement, parameters)
        after = session.execute(READ).fetchall()[0]
    assert after["scans"] == before["scans"], f"{statement} scans a table, asked {parameters}"
    read = after["rows"] - before["rows"]
    assert read <= ROWS_MAX, f"{statement} reads {read:,} rows, asked {parameters}"


def documents_read(session: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> int:
    """How many of the large documents a question reads."""
    with session.transaction(force_rollback=True):
        before = session.execute(DOCUMENTS_READ).fetchall()[0]
        _ask(session, statement, parameters)
        after = session.execute(DOCUMENTS_READ).fetchall()[0]
    return int(after["documents"] - before["documents"])


def _ask(session: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> None:
    # As the ledger asks: whatever the filters of a list, its planner sees them.
    asking = ClientCursor if statement in LISTS else psycopg.Cursor
    asking(session, row_factory=dict_row).execute(STATEMENTS[statement], parameters)
