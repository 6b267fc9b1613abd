"""What PostgreSQL does without a ledger: rows with a payload like our events into a table with two indexes."""

import itertools
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from ledger.service.embedded.binaries import binaries
from tests.benchmarks.measure import Sample, millis

PAYLOAD = b"x" * 400
BATCH_ROWS = 100
CREATE = """
CREATE TABLE plain (
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, version)
)
"""
INSERT = "INSERT INTO plain (stream, version, topic, state) VALUES (%s, %s, %s, %s)"
INSERT_BATCH = """
INSERT INTO plain (stream, version, topic, state)
SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bytea[])
"""
PGBENCH = """
\\set n :n + 1
INSERT INTO plain (stream, version, topic, state)
VALUES ('job:' || :run || '-' || :client_id || '/' || :n, 1, 'job.planned.v1', :payload::bytea);
"""
Row = tuple[str, int, str, bytes]

_runs: Iterator[int] = itertools.count(1)


def create(conninfo: str) -> None:
    """Make the table."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(CREATE)


def pgbench(conninfo: str, clients: int, seconds: int) -> Sample:
    """One row a transaction, by PostgreSQL's own load generator with prepared statements."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "insert.sql").write_text(PGBENCH, encoding="utf-8")
        variables = {"n": "0", "run": str(next(_runs)), "payload": "\\x" + PAYLOAD.hex()}
        done = subprocess.run(
            (
                *(binaries() / "pgbench", "-n", "-M", "prepared", "-f", "insert.sql", "-T", str(seconds)),
                *("-c", str(clients), "-j", str(min(2, clients)), "-l", "--log-prefix=took"),
                *(word for name, value in variables.items() for word in ("-D", f"{name}={value}")),
                conninfo,
            ),
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        took = [int(line.split()[2]) / 1e6 for log in Path(folder).glob("took.*") for line in log.open()]
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None
    return {"per_s": float(found[1]), **millis(took)}


def inserts(connection: psycopg.Connection) -> Callable[[], object]:
    """The next insert of one row, by one psycopg connection in autocommit, prepared, each time it is called."""
    numbers = itertools.count()

    def insert() -> None:
        connection.execute(INSERT, (f"job:lone/{next(numbers)}", 1, "job.planned.v1", PAYLOAD), prepare=True)

    return insert


def insert_batches(connection: psycopg.Connection, rows: Sequence[Row]) -> Callable[[], None]:
    """The work of inserting all rows, 100 a transaction."""
    batches = [rows[start : start + BATCH_ROWS] for start in range(0, len(rows), BATCH_ROWS)]

    def insert() -> None:
        for batch in batches:
            connection.execute(INSERT_BATCH, [list(column) for column in zip(*batch, strict=True)], prepare=True)

    return insert
