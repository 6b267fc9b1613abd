"""What the guards on the events cost: the same callers and the same import where they are switched off."""

from collections.abc import Callable, Sequence
from functools import partial

import psycopg

from ledger.service.assembly import assemble
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.bulk import records
from tests.benchmarks.callers import write
from tests.benchmarks.measure import Sample, interleave, ratio, seconds, spreads

CALLERS, SECONDS = 64, 2
OFF = "ALTER TABLE ledger.stored_events DISABLE TRIGGER check_append"


def measure(bench: Bench) -> Findings:
    """The rates with the guards and without, turn by turn."""
    lines, _ = records(bench)
    with assemble(writer(bench.new_ledger())) as guarded, assemble(writer(_open(bench))) as unguarded:
        sides: dict[str, Callable[[], Sample]] = {
            "guarded_64": partial(write, guarded, CALLERS, SECONDS),
            "unguarded_64": partial(write, unguarded, CALLERS, SECONDS),
            "guarded_bulk": partial(_import, bench, lines, bench.new_ledger),
            "unguarded_bulk": partial(_import, bench, lines, partial(_open, bench)),
        }
        shown = interleave(sides, bench.budget(7, 60))
    return Findings(
        ratios={
            "guarded_write_ratio": ratio(shown["guarded_64"]["per_s"], shown["unguarded_64"]["per_s"]),
            "guarded_bulk_ratio": ratio(shown["guarded_bulk"]["per_s"], shown["unguarded_bulk"]["per_s"]),
        },
        figures=dict(spreads(shown)),
        notes=("unguarded: without the trigger that looks at positions, versions, names, topics and JSON",),
    )


def _open(bench: Bench) -> str:
    """A superuser's conninfo of a fresh ledger whose appends nothing looks at."""
    superuser = bench.new_ledger()
    with psycopg.connect(superuser) as connection:
        connection.execute(OFF)
    return superuser


def _import(bench: Bench, lines: Sequence[bytes], make: Callable[[], str]) -> Sample:
    superuser = make()
    with assemble(writer(superuser)) as ledger:
        ledger.position()  # connects
        took = seconds(lambda: ledger.import_records(lines))
        events = ledger.position()
    bench.drop(superuser)
    return {"per_s": events / took}
