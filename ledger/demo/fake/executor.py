"""The fake executor: a process of its own whose tasks do what they were told to, for tests and the demo.

It is an executor like any other (`ledger.executors.protocol.Executor`), whose tasks can be made to run long, to fail,
to be forgotten, to go unanswered or to kill it (`ledger.demo.fake.script.Script`). What really ran is in its
journal, which outlives it and is read without it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ledger.clock import monotonic
from ledger.demo.fake.connection import Connection
from ledger.errors import ExecutorUnreachable, LedgerError, MalformedRecord, TokenFenced
from ledger.executors.protocol import Listing, Task

START_SECONDS = STOP_SECONDS = 10.0
POLL_SECONDS = 0.002
ERRORS: dict[str, type[LedgerError]] = {error.code: error for error in (MalformedRecord, TokenFenced)}


class FakeExecutor:
    """The fake executor in a folder, whose process may be started by this object or by another.

    Every verb raises `ExecutorUnreachable` where the process does not answer. Threads may share one object, and take
    turns; verbs that are safe to repeat are repeated once on a new connection, which `call` never is.
    """

    def __init__(self, folder: Path, name: str = "fake") -> None:
        self.name = name
        self._folder = folder.absolute()
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, operation: str, params: object, token: str | None, script: Mapping[str, Any] | None = None) -> str:
        """The external id of the task that the call began, or that an earlier call under the same token did.

        Raises `TokenFenced`, and `MalformedRecord` for a script that is none. After `ExecutorUnreachable` the task may
        be running or not.
        """
        request = {"operation": operation, "params": params, "token": token, "script": script and dict(script)}
        return str(self._request("call", **request))

    def list(self) -> Listing:
        """Every task that it knows; complete until it first forgot one."""
        listing = self._request("list")
        tasks = tuple(self._task(task) for task in listing["tasks"])
        return Listing(self.name, tasks, complete=listing["complete"], tokens=listing["tokens"])

    def ask(self, external_id: str | None, token: str | None) -> Task | None:
        """One task, by its id or else by its token; None where it is unknown or forgotten."""
        return self._task_or_none(self._request("ask", external_id=external_id, token=token))

    def cancel(self, external_id: str) -> None:
        """Stop a task; nothing where it has ended or is unknown."""
        self._request("cancel", external_id=external_id)

    def fence(self, token: str) -> Task | None:
        """Refuse every call under this token from now on; the task that it was taken for, even if forgotten."""
        return self._task_or_none(self._request("fence", token=token))

    def release(self, external_id: str) -> bool:
        """End a task now, as its script says; False where it has ended or is unknown."""
        return bool(self._request("release", external_id=external_id))

    def start(self, script: Mapping[str, Any] | None = None, *, with_parent: bool = True) -> Self:
        """Start the process, where none runs, and wait until it answers; `script` is for calls without one.

        It ends with this process, unless `with_parent` is False. Raises `ExecutorUnreachable` where it does not start.
        """
        if self.running:
            return self
        self._reap()
        self._folder.mkdir(parents=True, exist_ok=True)
        process = self._process = self._spawn(script, with_parent=with_parent)
        _until(lambda: self.running or process.poll() is not None, START_SECONDS)
        if not self.running:
            self._reap()
            raise self._unreachable(f"did not start; see {self._folder / 'log'}")
        return self

    def stop(self) -> None:
        """Ask the process to end, and wait until it has; nothing where none runs."""
        with contextlib.suppress(ExecutorUnreachable):
            self._request("stop")
        self._wait_gone()

    def kill(self) -> None:
        """Kill the process (SIGKILL), whoever started it, and wait until it is gone; nothing where none runs."""
        if self._listens():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int((self._folder / "pid").read_text()), signal.SIGKILL)
        self._wait_gone()

    def hang_up(self) -> None:
        """Close the connection; the process goes on, and the next verb connects anew."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @property
    def running(self) -> bool:
        """Whether a process answers; one that is dying may still take connections."""
        try:
            with contextlib.closing(self._connect()) as connection:
                connection.exchange("ask", external_id=None, token=None)
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self, script: Mapping[str, Any] | None, *, with_parent: bool) -> subprocess.Popen[bytes]:
        parent = ("--parent", str(os.getpid())) if with_parent else ()
        options = ("--name", self.name, "--script", json.dumps(dict(script or {})), *parent)
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "ledger.demo.fake.process", str(self._folder), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is not meant for it
            )

    def _listens(self) -> bool:
        try:
            self._connect().close()
        except OSError:
            return False
        return True

    def _wait_gone(self) -> None:
        _until(lambda: not self._listens(), STOP_SECONDS)
        self._reap()

    def _reap(self) -> None:
        """Hang up, and wait for the end of a process of ours; one that takes too long is killed."""
        self.hang_up()
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _connect(self) -> Connection:
        return Connection((self._folder / "address").read_text())

    def _request(self, verb: str, **parameters: Any) -> Any:
        with self._lock:
            try:
                answer = self._exchange(verb, parameters, again=verb != "call")
            except OSError as error:
                raise self._unreachable(f"does not answer: {error}") from error
        if "error" in answer:
            raise ERRORS[answer["code"]](answer["error"], **answer["facts"] | {"executor": self.name})
        return answer["answer"]

    def _exchange(self, verb: str, parameters: dict[str, Any], *, again: bool) -> Any:
        if self._connection is not None and self._connection.stale:
            self.hang_up()
        self._connection = self._connection or self._connect()
        try:
            return self._connection.exchange(verb, **parameters)
        except OSError:
            self.hang_up()
            if again:
                return self._exchange(verb, parameters, again=False)
            raise

    def _task(self, fields: dict[str, Any]) -> Task:
        return Task.model_validate({"executor": self.name, **fields})

    def _task_or_none(self, fields: dict[str, Any] | None) -> Task | None:
        return None if fields is None else self._task(fields)

    def _unreachable(self, what: str) -> ExecutorUnreachable:
        return ExecutorUnreachable(f"The executor {self.name} {what}.", executor=self.name)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a fact, or until the time is up."""
    deadline = monotonic() + seconds
    while not condition() and monotonic() < deadline:
        time.sleep(POLL_SECONDS)
