"""The command as a process of its own, on a fresh ledger."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

COMMAND = (sys.executable, "-c", "from ledger.service.cli import main; main()")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


def environment(conninfo: str | None, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "JOBLEDGER"))}
    return kept | {"NO_COLOR": "1"} | ({"JOBLEDGER_DSN": conninfo} if conninfo else {}) | more


Run = Callable[..., Ran]


@pytest.fixture
def run(conninfo: str) -> Run:
    """Run the command on the test's ledger."""

    def call(*words: str, stdin: str = "", env: dict[str, str] | None = None) -> Ran:
        return execute(words, stdin, env or environment(conninfo))

    return call


def execute(words: Sequence[str], stdin: str, env: dict[str, str]) -> Ran:
    done = subprocess.run(
        (*COMMAND, *words), input=stdin, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def plan(job: str, kind: str = "RelocateVm", **terms: Any) -> dict[str, Any]:
    return {"job": job, "event": "planned", "type": kind, "at": "2026-01-02T03:04:05Z", **terms}


def on(entity: str, access: str = "exclusive") -> dict[str, str]:
    kind, _, name = entity.partition("/")
    return {"type": kind, "id": name, "access": access}
