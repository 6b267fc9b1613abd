"""How long the command takes from its start to its end, as a process of its own, on a server that already runs."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from compileall import compile_dir
from functools import partial

import ledger
import projections
from ledger.service.settings import PG_VARIABLES
from tests.benchmarks.bench import Bench, Findings
from tests.benchmarks.measure import Sample, interleave, ratio, seconds, spreads

JOB = '{"job":"j1","event":"planned","type":"RelocateVm","entities":[{"type":"vm","id":"vm1"}]}'
COMMAND = (sys.executable, "-c", "from ledger.service.cli import main; main()")
COMMANDS: dict[str, Sequence[str]] = {
    "show": (*COMMAND, "show", "j1"),
    "show_json": (*COMMAND, "show", "j1", "-o", "json"),
    "busy": (*COMMAND, "busy", "vm/vm1"),
    "help": (*COMMAND, "--help"),
    "interpreter": (sys.executable, "-c", "pass"),
}


def measure(bench: Bench) -> Findings:
    """Each command in turn, on the embedded database of the server."""
    environment = _environment(str(bench.server.status().folder))
    _run(environment, (*COMMAND, "record", JOB))
    sides: dict[str, Callable[[], Sample]] = {
        name: partial(_timed, environment, command) for name, command in COMMANDS.items()
    }
    for package in (ledger, projections):
        compile_dir(package.__path__[0], quiet=2)  # as pip does with what it installs
    for side in sides.values():
        side()  # pages are in memory
    shown = interleave(sides, bench.budget(20, 30))
    took = {name: series["seconds"] for name, series in shown.items()}
    return Findings(
        ratios={"show_startup_s": spreads(shown)["show"]["seconds"]},
        figures={**spreads(shown), "show_of_interpreter": ratio(took["show"], took["interpreter"])},
        notes=("whole processes by the wall clock, on the embedded database",),
    )


def _environment(folder: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("JOBLEDGER_DSN", *PG_VARIABLES)}
    return kept | {"JOBLEDGER_DATA": folder}


def _run(environment: Mapping[str, str], command: Sequence[str]) -> None:
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def _timed(environment: Mapping[str, str], command: Sequence[str]) -> Sample:
    return {"seconds": seconds(partial(_run, environment, command))}
