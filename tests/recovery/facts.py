"""What tests ask of the journal of a fake executor, and how they wait for it."""

import time
from collections.abc import Callable
from pathlib import Path

from ledger.demo.fake.journal import read_journal

DEADLINE_SECONDS = 10.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for a fact; a test fails where it does not become true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.002)


def told(folder: Path) -> list[tuple[str, str | None]]:
    """The journal in short: what happened, and under which token."""
    return [(fact["what"], fact["token"]) for fact in read_journal(folder)]
