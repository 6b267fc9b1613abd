"""Two chapters of the demo: an engine that is killed at work, and what becomes of all that it had begun."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.service.cli import output

if TYPE_CHECKING:
    from ledger import Ledger
    from ledger.demo.fake.executor import FakeExecutor

EXECUTOR = "storage-agent"


def tell(ledger: "Ledger", conninfo: str, run: str) -> None:
    """Kill an engine twice, at different moments, and let the next one find out what is so."""
    from ledger.demo.fake.executor import FakeExecutor

    with tempfile.TemporaryDirectory() as folder, FakeExecutor(Path(folder), EXECUTOR) as executor:
        _say("5. An engine removes VM db02 with its four disks, one by one; when two are sent, it is killed.")
        engine = _Engine(conninfo, Path(folder), run)
        job = engine.work_until("sent", "d2", vm="db02", disks=4)
        output.print_jobs(ledger.tree(job))
        _recover(ledger, executor, run, job)
        free = not any(
            answer.busy for answer in ledger.busy_all(["vm/db02", *(f"disk/db02-d{n}" for n in range(1, 5))])
        )
        print(f"   The removal failed, and says why. The VM and its disks are {'free' if free else 'busy'} again.")

        _say("6. Another engine is killed between a call and its answer: did the call arrive?")
        job = engine.work_until("recording", "", vm="db03", disks=2, scripts={"db03-d2": {"drops": "answer"}})
        output.print_jobs(ledger.tree(job))
        _recover(ledger, executor, run, job)
        print("   It did: the executor was asked for the token, which was on record before the call.")


def _say(heading: str) -> None:
    print(f"\n{heading}", flush=True)


class _Engine:
    """The example engine as a process of its own, a step at a time."""

    def __init__(self, conninfo: str, folder: Path, run: str) -> None:
        self._environment = {**os.environ, "JOBLEDGER_DSN": conninfo}
        self._folder = folder
        self._run = run

    def work_until(
        self, step: str, thing: str, *, vm: str, disks: int, scripts: Mapping[str, Any] | None = None
    ) -> str:
        """Let a new engine work until it comes to a step, and kill it there; the job is returned."""
        import json

        job = f"{self._run}/remove-{vm}"
        options = ("--parts", str(disks), "--owner", f"{self._run}/engine", "--executor", EXECUTOR)
        paced = ("--scripts", json.dumps(scripts or {}), "--paced")
        words = (sys.executable, "-m", "ledger.demo.engine", "RemoveVm", vm, job, str(self._folder))
        with subprocess.Popen(  # noqa: S603 - our own program
            (*words, *options, *paced),
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as engine:
            assert engine.stdin is not None and engine.stdout is not None  # noqa: S101, PT018 - both are pipes
            for line in engine.stdout:
                line_read = line.strip()
                print(f"   engine {engine.pid}: {line_read}")
                if line_read.startswith(step) and line_read.endswith(thing):
                    break
                engine.stdin.write("\n")
            os.kill(engine.pid, signal.SIGKILL)
        print(f"   kill -9 {engine.pid}", flush=True)
        return job


def _recover(ledger: "Ledger", executor: "FakeExecutor", run: str, job: str) -> None:
    from ledger.recovery.proposal import Scope
    from ledger.recovery.reconcile import Recovery
    from ledger.service.cli.recovery import print_verdicts

    with ledger.start_owner(f"{run}/engine") as own:
        print(
            f"   The engine starts again, in epoch {own.owner.epoch if own.owner else 0}, asks the executor, and finds:"
        )
        plan = Recovery(own, [executor]).apply(Scope(job=job))
    print_verdicts(plan)
