"""Sealers that kill themselves, as `kill -9` does, at a boundary: a process that forks one for each line of its stdin.

A boundary is before and after each statement, each commit and each file that is put in its place.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg

from ledger.integrity import keyfile
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from tests.integrity.conftest import room_of

BATCH = 300


class Boundaries:
    """Counts what is passed, and dies at one of them."""

    def __init__(self, at: int) -> None:
        self._left = at

    def around(self, whole: Callable[..., Any]) -> Callable[..., Any]:
        def hooked(*words: Any, **named: Any) -> Any:
            self._pass()
            answer = whole(*words, **named)
            self._pass()
            return answer

        return hooked

    def _pass(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def live(conninfo: str, path: str, verb: str, at: int) -> None:
    """Seal or rotate, and die at the boundary numbered `at`, if there are so many."""
    hook = Boundaries(at).around
    with (
        patch.object(psycopg.Connection, "execute", hook(psycopg.Connection.execute)),
        patch.object(psycopg.Cursor, "copy", hook(psycopg.Cursor.copy)),
        patch.object(psycopg.Transaction, "__exit__", hook(psycopg.Transaction.__exit__)),
        patch.object(keyfile, "_write", hook(keyfile._write)),
        patch.object(keyfile, "_sync", hook(keyfile._sync)),
        patch.object(os, "link", hook(os.link)),
        patch.object(Path, "replace", hook(Path.replace)),
    ):
        getattr(Sealer(room_of(conninfo), KeyFile(Path(path)), batch_events=BATCH), verb)()


def main() -> None:
    """Answer each line, the arguments of `live`, with how that life ended: 0, or -9."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            live(*json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
