"""What trees of ten thousand jobs cost: beside small ones, beside an import of as many events, and whoever waits."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Self

import psycopg

from ledger.application import Ledger
from ledger.domain.retention import Retention
from ledger.service.assembly import assemble
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.measure import Sample, interleave, latencies, millis, ratio, seconds, spreads

MANY, FEW, CALLS = 10_000, 10, 40
AT_ONCE = Retention(keep_for=0)
AT = "2026-01-01T00:00:00Z"


def measure(bench: Bench) -> Findings:
    """Each turn ends children beside few and many, and takes a tree of many through an import, a cancel and a sweep."""
    superuser = bench.new_ledger()
    with assemble(writer(superuser)) as ledger, assemble(writer(superuser)) as other:
        _plan(ledger, "many", MANY)
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("ANALYZE")
        sides: dict[str, Callable[[], Sample]] = {
            **_beside("few", ledger, _small(ledger)),
            **_beside("many", ledger, (("many", f"many/{n}") for n in range(MANY))),
            "roll_up": lambda: millis(latencies(lambda: ledger.roll_up("many"), 5)),
            "tree": partial(_tree, ledger, other, itertools.count()),
        }
        shown = interleave(sides, bench.budget(7, 60))
    bench.drop(superuser)
    tree = shown["tree"]
    return Findings(
        ratios={
            "siblings_ratio": ratio(shown["end_many"]["p50_ms"], shown["end_few"]["p50_ms"]),
            "parent_ratio": ratio(shown["parent_many"]["p50_ms"], shown["parent_few"]["p50_ms"]),
            "cancel_ratio": ratio(tree["cancel_s"], tree["import_s"]),
            "expire_ratio": ratio(tree["expire_s"], tree["import_s"]),
            "tree_wait_ms": spreads(shown)["tree"]["longest_wait_ms"],
            "roll_up_ms": spreads(shown)["roll_up"]["p50_ms"],
        },
        figures={**spreads(shown), "plan_ratio": ratio(shown["plan_many"]["p50_ms"], shown["plan_few"]["p50_ms"])},
        notes=(f"{MANY:,} children below one parent, analysed; {CALLS} calls a round, {FEW} children beside",),
    )


def _plan(ledger: Ledger, root: str, children: int) -> None:
    parts = [{"job": f"{root}/{n}", "type": "Part"} for n in range(children)]
    ledger.plan("Whole", job=root, end_action="auto", children=parts)


def _small(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Parents and children, none of them the last of its parent."""
    for number in itertools.count():
        _plan(ledger, f"few{number}", FEW + 1)
        for child in range(FEW):
            yield f"few{number}", f"few{number}/{child}"


def _beside(size: str, ledger: Ledger, family: Iterator[tuple[str, str]]) -> dict[str, Callable[[], Sample]]:
    """What is timed of a family: the end of a child, one more child, and a word about the parent."""
    numbers = itertools.count()

    def drawn() -> list[tuple[str, str]]:
        return [*itertools.islice(family, CALLS)]

    def ended() -> Sample:
        children = iter(drawn())
        return millis(latencies(lambda: ledger.succeed(next(children)[1]), CALLS))

    def planned() -> Sample:
        parents = iter(drawn())

        def plan() -> object:
            parent = next(parents)[0]
            return ledger.plan("Part", job=f"{parent}/more{next(numbers)}", parent=parent)

        return millis(latencies(plan, CALLS))

    def told() -> Sample:
        parents = iter(drawn())
        return millis(latencies(lambda: ledger.progress(next(parents)[0], message=f"{next(numbers)}"), CALLS))

    return {f"end_{size}": ended, f"plan_{size}": planned, f"parent_{size}": told}


def _tree(ledger: Ledger, other: Ledger, numbers: Iterator[int]) -> Sample:
    """A tree of many: as many events imported, asked to be cancelled, ended, and taken out, with somebody beside."""
    root = f"tree{next(numbers)}"
    _plan(ledger, root, MANY)
    jobs = [f"{root}/{n}" for n in range(MANY)]
    imported = seconds(lambda: ledger.import_records(_lines(jobs, "progressed", percent=5)))
    with _Waiting(other) as waiting:
        cancelled = seconds(lambda: ledger.cancel(root))
    ledger.import_records(_lines(jobs, "cancelled"))
    with waiting:
        expired = seconds(lambda: ledger.expire(AT_ONCE))
    return {"import_s": imported, "cancel_s": cancelled, "expire_s": expired, "longest_wait_ms": waiting.longest * 1e3}


def _lines(jobs: list[str], event: str, **said: object) -> list[bytes]:
    return [json.dumps({"job": job, "event": event, "at": AT, **said}).encode() for job in jobs]


class _Waiting:
    """Somebody else who writes all the time, and how long it waited at most."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._over = threading.Event()
        self.longest = 0.0

    def __enter__(self) -> Self:
        self._over.clear()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._over.is_set():
            self.longest = max(self.longest, seconds(lambda: self._ledger.plan("Other", retention={"dwell": 86_400})))
