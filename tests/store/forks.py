"""Children of the test's own process, made as gunicorn, multiprocessing and Celery make theirs."""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

SECONDS_MAX = 60


def fork(work: Callable[[], Any]) -> "Child":
    """A child that does this work and tells what came of it; an error is told as a text."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    code = 1
    try:
        signal.alarm(SECONDS_MAX)
        told = json.dumps(work())
        code = 0
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent shall hear it
        told = json.dumps(f"{type(error).__name__}: {error}")
    finally:
        os.write(writing, f"{told}\n".encode())
        sys.stderr.flush()
        os._exit(code)


class Child:
    """A child at work."""

    def __init__(self, pid: int, told: int) -> None:
        self.pid = pid
        self._told = told

    def told(self) -> Any:
        """What came of its work, once it has ended."""
        with os.fdopen(self._told) as told:
            said = told.readline()  # whose end a child of its own may hold open
        _, status = os.waitpid(self.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, said
        return json.loads(said)
