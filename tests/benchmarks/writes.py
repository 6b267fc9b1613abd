"""Single durable transitions with views on, by 1, 16 and 64 threads, against pgbench and the library's own recorder."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from ledger.service.assembly import assemble
from tests.benchmarks import plain
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.callers import crowd, transitions, write
from tests.benchmarks.measure import Sample, interleave, latencies, millis, ratio, spreads

CALLERS = (1, 16, 64)
SECONDS = 2
LONE_TURNS, LONE_CALLS = 40, 50
LIBRARY_CONNECTIONS = 16


def measure(bench: Bench) -> Findings:
    """The rates of all, turn by turn."""
    base = bench.new_database()
    plain.create(base)
    with (
        assemble(writer(bench.new_ledger())) as ledger,
        psycopg.connect(base, autocommit=True) as connection,
        library(bench.new_database()) as recorder,
    ):
        sides: dict[str, Callable[[], Sample]] = {}
        for callers in CALLERS:
            sides[f"pgbench_{callers}"] = partial(plain.pgbench, base, callers, SECONDS)
            sides[f"ledger_{callers}"] = partial(write, ledger, callers, SECONDS)
        sides["lone"] = partial(lone, transitions(ledger, "lone"), plain.inserts(connection))
        sides["library_64"] = partial(crowd, 64, SECONDS, partial(saves, recorder))
        shown = interleave(sides, bench.budget(5, 90))
    return Findings(
        ratios={
            "write_ratio_64": ratio(shown["ledger_64"]["per_s"], shown["pgbench_64"]["per_s"]),
            "write_vs_library_64": ratio(shown["ledger_64"]["per_s"], shown["library_64"]["per_s"]),
            "single_ratio": ratio(shown["lone"]["transition_p50_ms"], shown["lone"]["insert_p50_ms"]),
        },
        figures=dict(spreads(shown)),
        notes=(
            "ledger: plan on an entity of its own, then succeed, by threads of one process",
            "lone: 50 transitions, 50 one-row INSERTs by psycopg, and so on",
            "pgbench: one row of 400 bytes a transaction, prepared, two indexes, 2 threads",
            f"library: PostgresApplicationRecorder, one event a save, {LIBRARY_CONNECTIONS} connections, 64 threads",
        ),
    )


def lone(tell: Callable[[], object], insert: Callable[[], object]) -> Sample:
    """A lone transition and a one-row INSERT, some of each in turn, as the pace of a machine changes within seconds."""
    told: list[float] = []
    inserted: list[float] = []
    for _ in range(LONE_TURNS):
        told += latencies(tell, LONE_CALLS)
        inserted += latencies(insert, LONE_CALLS)
    return {"transition_p50_ms": millis(told)["p50_ms"], "insert_p50_ms": millis(inserted)["p50_ms"]}


@contextmanager
def library(superuser: str) -> Iterator[PostgresApplicationRecorder]:
    """The library's plain recorder with tables of its own."""
    place = conninfo_to_dict(superuser)
    store = PostgresDatastore(
        str(place["dbname"]),
        str(place["host"]),
        str(place["port"]),
        str(place["user"]),
        "",
        pool_size=LIBRARY_CONNECTIONS,
        schema="library",
        originator_id_type="text",
    )
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA library")
    with closing(store):
        recorder = PostgresApplicationRecorder(store)
        recorder.create_table()
        yield recorder


def saves(recorder: PostgresApplicationRecorder, name: str) -> Callable[[], object]:
    """A caller's next save, each time it is called."""
    numbers = itertools.count()

    def save() -> None:
        recorder.insert_events([StoredEvent(f"{name}/{next(numbers)}", 1, "job.planned.v1", plain.PAYLOAD)])

    return save
