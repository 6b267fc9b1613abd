"""What a transition takes on the disk, of jobs that went the whole way, one transition after the other."""

import json
from collections.abc import Iterator

import psycopg

from ledger.service.assembly import assemble
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.measure import spread

JOBS, JOBS_FULL = 10_000, 100_000
WAVE = 1_000  # jobs that go the way together, so that no append has two transitions of one job
TABLES = """
SELECT n.nspname || '.' || c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('ledger', 'projections')
ORDER BY pg_total_relation_size(c.oid) DESC
"""


def measure(bench: Bench) -> Findings:
    """Bytes an event after VACUUM, of the events alone and of everything."""
    jobs = JOBS_FULL if bench.full else JOBS
    superuser = bench.new_ledger()
    with assemble(writer(superuser)) as ledger:
        ledger.import_records(records(jobs))
        events = ledger.position()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        sizes = {name: (table, indexes) for name, table, indexes in connection.execute(TABLES)}
        row = connection.execute("SELECT avg(octet_length(state)) FROM ledger.stored_events").fetchone()
    bench.drop(superuser)
    assert row is not None
    everything = sum(table + indexes for table, indexes in sizes.values())
    return Findings(
        ratios={
            "bytes_per_event": spread([sum(sizes["ledger.stored_events"]) / events]),
            "bytes_per_transition": spread([everything / events]),
        },
        figures={
            "events": events,
            "bytes_of_state": float(row[0]),
            "tables": {name: {"table": size[0] / events, "indexes": size[1] / events} for name, size in sizes.items()},
        },
        notes=(f"{jobs:,} jobs planned, submitted, accepted, started, progressed, succeeded; {WAVE:,} at a time",),
    )


def records(jobs: int) -> Iterator[bytes]:
    """The transition records of jobs that go all the way, wave by wave."""
    for start in range(0, jobs, WAVE):
        for step in range(6):
            for n in range(start, min(start + WAVE, jobs)):
                at = f"2026-01-{1 + n // 3600 % 28:02}T{n // 60 % 24:02}:{n % 60:02}:{step * 9:02}Z"
                yield json.dumps({"job": f"job-{n:06}", "at": at, **_steps(n)[step]}, separators=(",", ":")).encode()


def _steps(n: int) -> list[dict[str, object]]:
    disk = {"type": "disk", "id": f"disk-{n:06}", "access": "exclusive"}
    terms = {
        "type": "BackupDisk",
        "actor": f"user-{n % 50}",
        "entities": [disk],
        "params": {"target": "s3", "level": n % 3},
    }
    return [
        {"event": "planned", **terms},
        {"event": "submitted", "executor": "storage-agent", "token": f"0193c5a0-7d3e-7cc3-98c4-{n:012x}"},
        {"event": "accepted", "external_id": f"task-{n}"},
        {"event": "started"},
        {"event": "progressed", "percent": 50},
        {"event": "succeeded", "result": {"bytes": n * 4096}},
    ]
