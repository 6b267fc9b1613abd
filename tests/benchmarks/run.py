"""All parts on a PostgreSQL of their own: `scripts/bench [--only NAME] [--json FILE] [--plot FILE.svg] [--full]`."""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from tests.benchmarks import (
    bulk,
    guards,
    others,
    outages,
    past,
    plot,
    reads,
    rebuild,
    recovery,
    sealing,
    searches,
    startup,
    storage,
    streams,
    trees,
    writes,
)
from tests.benchmarks.bench import Bench, Findings, opened, say
from tests.benchmarks.environment import describe
from tests.benchmarks.report import Report

ROOT = Path(__file__).parents[2]
RECORDS = ROOT.parent / "shared" / "data" / "openb.jsonl.gz"
PARTS: dict[str, Callable[[Bench], Findings]] = {
    "writes": writes.measure,
    "bulk": bulk.measure,
    "guards": guards.measure,
    "streams": streams.measure,
    "reads": reads.measure,
    "past": past.measure,
    "trees": trees.measure,
    "rebuild": rebuild.measure,
    "recovery": recovery.measure,
    "startup": startup.measure,
    "outages": outages.measure,
    "searches": searches.measure,
    "storage": storage.measure,
    "sealing": sealing.measure,
    "others": others.measure,
}
PLOTTED = {"busy": "busy", "list_active": "list --active", "show": "show", "tree": "tree", "write": "a lone write"}


def main(words: list[str]) -> None:
    """Measure what is asked for; print the tables, and write the files that were named."""
    asked = _parser().parse_args(words)
    parts = {name: PARTS[name] for name in asked.only or PARTS}
    if asked.plot and "reads" not in parts:
        _parser().error("--plot draws what the part reads finds; leave --only out, or name reads too")
    signal.signal(signal.SIGTERM, _end)
    with opened(asked.records, full=asked.full) as bench:
        report = measure(bench, parts)
    print(report.as_text())
    if asked.json:
        asked.json.write_text(report.as_json() + "\n", encoding="utf-8")
    if asked.plot:
        asked.plot.write_text(picture(report), encoding="utf-8")


def measure(bench: Bench, parts: dict[str, Callable[[Bench], Findings]]) -> Report:
    """Every part, one after the other."""
    report = Report(describe(bench))
    for name, part in parts.items():
        say(f"{name} …")
        began = time.monotonic()
        found = part(bench)
        report.take(name, found, time.monotonic() - began)
    return report


def picture(report: Report) -> str:
    """What the questions and a lone write cost as history grows."""
    figures = report.parts["reads"].figures
    lines = [
        plot.Line(label, {jobs: figures[f"{name}_{jobs}"]["p50_ms"] for jobs in reads.SIZES})
        for name, label in PLOTTED.items()
    ]
    return plot.draw("What a call costs as history grows", lines)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(143)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(__doc__ or "").split(":", maxsplit=1)[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be said again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures and ratios to this file")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw cost against history")
    parser.add_argument("--full", action="store_true", help="longer histories, more rounds where time is short")
    parser.add_argument("--records", type=Path, default=RECORDS, metavar="FILE", help="what the part bulk imports")
    return parser


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
