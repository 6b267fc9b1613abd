"""A ledger with a long history, loaded by COPY and plain SQL in seconds instead of being told in hours.

Every job has a few events on a disk of its own, but for the first 10,000 past jobs and the last active ones, which
share `disk/busy`. What is stored is what the ledger would have stored, and the views that `fill_views` fills say what
a rebuild says; a test compares them.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from projections.inline.views import PROJECTIONS

ROWS = 50_000  # a round, so that memory stays small

EVENTS = """
COPY ledger.stored_events (originator_id, originator_version, topic, state) FROM STDIN
"""
PLANNED = (
    b'{"id":"e%d/1","at":"%b","actor":"a%d","type":"BackupDisk",'
    b'"entities":[{"type":"disk","id":"%b","access":"shared"}],"root":"j%d"}'
)
STARTED = b'{"id":"e%d/2","at":"%b","executor":"agent","external_id":"x%d"}'
PROGRESSED = b'{"id":"e%d/%d","at":"%b","done":%d,"total":100}'
SUCCEEDED = b'{"id":"e%d/%d","at":"%b","result":{"bytes":%d}}'
TOLD = """
CREATE TEMPORARY VIEW told AS
SELECT
    originator_id AS stream,
    originator_version AS version,
    notification_id AS position,
    recorded_at,
    convert_from(state, 'UTF8')::json AS said,
    (convert_from(state, 'UTF8')::json ->> 'at')::timestamptz AS at
FROM ledger.stored_events
"""
FILLS = ("fill_job_status", "fill_running_jobs")


@dataclass(frozen=True)
class Size:
    """How much history: `jobs` that have ended, in `events_each` events (3 or more), and `active` that run.

    `busy` of the active ones are on `disk/busy`, as 10,000 of the others were.
    """

    jobs: int
    active: int
    events_each: int = 3
    busy: int = 3


def load(superuser: str, size: Size) -> int:
    """Put a history on record, past the views; the last position is returned."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        for start in range(0, size.jobs + size.active, ROWS):
            _copy(connection, range(start, min(start + ROWS, size.jobs + size.active)), size)
        connection.execute("VACUUM (ANALYZE) ledger.stored_events")
        row = connection.execute("SELECT max(notification_id) FROM ledger.stored_events").fetchone()
        assert row is not None
        return int(row[0])


def fill_views(superuser: str, size: Size) -> None:
    """Let the views of a ledger that was loaded with this size say what a rebuild would make them say."""
    with ThreadPoolExecutor() as pool:  # each on a connection, and so on a core, of its own
        for filled in [pool.submit(_fill, superuser, name, size) for name in FILLS]:
            filled.result()
    with psycopg.connect(superuser, autocommit=True) as connection:
        for view in PROJECTIONS:
            connection.execute(
                "INSERT INTO projections.tracking SELECT %s, %s, max(notification_id) FROM ledger.stored_events",
                (view.name, view.version),
            )
        connection.execute("VACUUM (ANALYZE) projections.job_status, projections.running_jobs, projections.tracking")


def _fill(superuser: str, name: str, size: Size) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'; SET timezone = 'UTC'")
        connection.execute(TOLD)
        fill = Path(__file__).with_name(f"{name}.sql").read_bytes()
        connection.execute(fill, {"events_each": size.events_each})


def _copy(connection: psycopg.Connection[Any], numbers: range, size: Size) -> None:
    with connection.cursor() as cursor, cursor.copy(EVENTS) as copy:
        for n in numbers:
            for version, (topic, state) in enumerate(_events(n, size), start=1):
                copy.write_row((f"job:j{n}", version, topic, state))


def _events(n: int, size: Size) -> Iterator[tuple[str, bytes]]:
    at = b"2026-01-01T%02d:%02d:%02dZ" % (n // 3600 % 24, n // 60 % 60, n % 60)
    shared = n < min(10_000, size.jobs) or n >= size.jobs + size.active - size.busy
    disk = b"busy" if shared else b"d%d" % n
    yield "job.planned.v1", PLANNED % (n, at, n % 50, disk, n)
    yield "job.started.v1", STARTED % (n, at, n)
    if n < size.jobs:
        for k in range(size.events_each - 3):
            yield "job.progressed.v1", PROGRESSED % (n, k + 3, at, k)
        yield "job.succeeded.v1", SUCCEEDED % (n, size.events_each, at, n)
