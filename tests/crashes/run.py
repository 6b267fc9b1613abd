"""Crashes by the thousand: `scripts/crash [--runs N] [--seed S] [--kills N]`; one run again: `--again SEED/NUMBER`.

Each run is one flow, whose engine dies at a boundary chosen by chance, and sometimes its successors while they recover.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from psycopg.conninfo import make_conninfo

from ledger.demo.engine import FLOWS
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator
from tests.crashes.boundaries import Boundaries
from tests.crashes.stage import Stage

SIZES = range(1, 9)
SECOND_CRASH = 0.4


def chosen(seed: str, *, real: bool) -> tuple[str, int, Callable[[int], Boundaries]]:
    """What a seed stands for: the flow, its size, and what befalls each life of its engine."""
    chance = random.Random(seed)
    kind, parts = chance.choice(sorted(FLOWS)), chance.choice(SIZES)
    first = chance.randint(1, 45 * parts + 40)
    later = [chance.randint(1, 30 * parts + 30) if chance.random() < SECOND_CRASH else None for _ in range(4)]

    def crash(life: int) -> Boundaries:
        at = first if life == 0 else later[life - 1] if life <= len(later) else None
        return Boundaries(at, inside=True, real=real and at is not None)

    return kind, parts, crash


def main() -> int:
    """Play the runs, say what went wrong and how much was covered; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="scripts/crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000, help="crashes played in one process")
    parser.add_argument("--kills", type=int, default=200, help="crashes by a real kill -9")
    parser.add_argument("--seed", default=str(time.time_ns()))
    parser.add_argument("--again", help="one run again, by the name that was printed")
    said = parser.parse_args()
    names = [(f"{said.seed}/{n}", n >= said.runs) for n in range(said.runs + said.kills)]
    if said.again:
        names = [(said.again, real) for real in (False, True)]
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "pg")
        server.start()
        try:
            migrator().migrate(server.conninfo())
            return _play(Stage(make_conninfo(server.conninfo(), options=WRITER), Path(folder) / "executors"), names)
        finally:
            server.stop()


def _play(stage: Stage, names: list[tuple[str, bool]]) -> int:
    wrong = 0
    began = time.monotonic()
    for name, real in names:
        kind, parts, crash = chosen(name, real=real)
        found = stage.play(kind, parts, name, crash)
        for sentence in found:
            print(f"{name} ({kind} of {parts}): {sentence}", flush=True)
        wrong += bool(found)
        if stage.runs % 100 == 0:
            print(f"{stage.runs:,} runs, {stage.boundaries:,} boundaries passed, {wrong:,} wrong", file=sys.stderr)
    stage.close()
    verdicts = ", ".join(f"{word} {count:,}" for word, count in stage.recovered.most_common())
    print(
        f"{stage.runs:,} runs ({sum(real for _, real in names):,} by kill -9), {stage.boundaries:,} boundaries passed, "
        f"{wrong:,} wrong, in {time.monotonic() - began:.0f} s; verdicts: {verdicts}."
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
