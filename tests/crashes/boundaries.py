"""Where a process can die: before and after each append, between its statements, and around each call of an executor.

`Boundaries` counts them while it is entered, and does something terrible at one of them.
"""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self
from unittest.mock import patch

from ledger.appending.recorder import Attempt, Recorder
from ledger.demo.fake.executor import FakeExecutor
from projections.inline.views import InlineViews


class Crash(BaseException):
    """The process is gone, as far as this process can play it."""


class Boundaries:
    """Counts boundaries, and acts at the one numbered `at` (from 1).

    Played in a process that goes on, the connection is dropped and `Crash` is raised; with `real`, the process dies.
    `inside`: also between the statements of an append.
    """

    def __init__(self, at: int | None, *, inside: bool = False, real: bool = False) -> None:
        self.count = 0
        self.where = ""
        self.at = at
        self._inside = inside
        self.real = real
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        for way in ("append", "record"):
            self._around(Recorder, way)
        for verb in ("call", "ask", "fence", "list"):
            self._around(FakeExecutor, verb)
        if self._inside:
            self._around(InlineViews, "look", session=1)
            self._around(InlineViews, "write", session=1)
            self._around(Attempt, "answer", session=1)
            self._around(Attempt, "keep")
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def _around(self, owner: type, name: str, session: int | None = None) -> None:
        whole = getattr(owner, name)

        def hooked(*words: Any, **named: Any) -> Any:
            drop = None if session is None else words[session].pgconn.finish
            self._pass(f"before {name}", drop)
            answer = whole(*words, **named)
            self._pass(f"after {name}", drop)
            return answer

        patched: AbstractContextManager[Any] = patch.object(owner, name, hooked)
        self._patches.enter_context(patched)

    def _pass(self, where: str, drop: Callable[[], None] | None) -> None:
        self.count += 1
        if self.count != self.at:
            return
        self.where = where
        if self.real:
            os.kill(os.getpid(), signal.SIGKILL)
        if drop is not None:
            drop()
        raise Crash(where)
