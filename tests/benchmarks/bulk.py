"""An import of what has already happened, against the same bytes inserted 100 rows a transaction."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import psycopg

from ledger.service.assembly import assemble
from tests.benchmarks import plain
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.measure import Sample, interleave, rate, ratio, seconds, spreads

GENERATED_JOBS, GENERATED_JOBS_FULL = 8_000, 80_000


def measure(bench: Bench) -> Findings:
    """Events a second through the ledger, and rows a second past it."""
    lines, source = records(bench)
    rows = _rows(bench, lines)

    sides: dict[str, Callable[[], Sample]] = {
        "ledger": partial(_through, bench, lines),
        "plain": partial(_past, bench, rows),
    }
    shown = interleave(sides, bench.budget(7, 60))
    return Findings(
        ratios={
            "bulk_events_per_s": spreads(shown)["ledger"]["per_s"],
            "bulk_ratio": ratio(shown["ledger"]["per_s"], shown["plain"]["per_s"]),
        },
        figures={
            **spreads(shown),
            "events": len(rows),
            "bytes_an_event": sum(len(row[3]) for row in rows) / len(rows),
            "records": source,
        },
        notes=(f"import of {source}: {len(lines):,} lines, {len(rows):,} events",),
    )


def records(bench: Bench) -> tuple[list[bytes], str]:
    """The lines to import, and where they are from: the file that was named, else generated ones of its shape."""
    if not bench.full and bench.records.exists():
        return _read(bench.records), bench.records.name
    jobs = GENERATED_JOBS_FULL if bench.full else GENERATED_JOBS
    return list(generate(jobs)), f"records of {jobs:,} generated jobs"


def _read(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()


def generate(jobs: int) -> Iterator[bytes]:
    """Records in the shape of the GPU cluster's pods: planned with two entities and params, started, ended."""
    for n in range(jobs):
        at = f"2023-01-{1 + n // 3600 % 28:02}T{n // 60 % 24:02}:{n % 60:02}:00Z"
        pod = {"type": "pod", "id": f"pod-{n}", "role": "target", "access": "exclusive"}
        kind = {"type": "qos", "id": "LS", "role": "class", "access": "shared"}
        terms = {"type": "RunPod", "actor": "cluster", "entities": [pod, kind]}
        asked = {"cpu_milli": 6000, "memory_mib": 12288, "num_gpu": n % 9}
        end = {"event": "failed", "error": {"code": "Evicted"}} if n % 3 == 0 else {"event": "succeeded"}
        for said in (
            {"event": "planned", **terms, "params": asked},
            {"event": "started", "executor": "cluster", "external_id": f"pod-{n}"},
            end,
        ):
            yield json.dumps({"job": f"cluster/pod-{n}", "at": at, **said}, separators=(",", ":")).encode()


def _through(bench: Bench, lines: Sequence[bytes]) -> Sample:
    superuser = bench.new_ledger()
    with assemble(writer(superuser)) as ledger:
        ledger.position()  # connects
        took = seconds(lambda: ledger.import_records(lines))
        events = ledger.position()
    bench.drop(superuser)
    return {"per_s": events / took}


def _past(bench: Bench, rows: Sequence[plain.Row]) -> Sample:
    conninfo = bench.new_database()
    plain.create(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        shown = rate(len(rows), plain.insert_batches(connection, rows))
    bench.drop(conninfo)
    return {"per_s": shown}


def _rows(bench: Bench, lines: Sequence[bytes]) -> list[plain.Row]:
    """The rows that the ledger makes of these lines."""
    superuser = bench.new_ledger()
    with assemble(writer(superuser)) as ledger:
        ledger.import_records(lines)
    with psycopg.connect(superuser) as connection:
        stored = (
            "SELECT originator_id, originator_version, topic, state FROM ledger.stored_events ORDER BY notification_id"
        )
        rows = connection.execute(stored).fetchall()
    bench.drop(superuser)
    return rows
