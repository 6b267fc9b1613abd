"""The process of the fake executor: `python -m ledger.demo.fake.process FOLDER` serves its tasks on a socket.

A request is one line of JSON, `{"verb", …}`, and so is its answer, `{"answer"}` or `{"error","code","facts"}`; a
connection takes any number. The verbs are call, list, ask, cancel, fence and release (`ledger.demo.fake.tasks`)
and stop, which ends the process. In FOLDER are `journal.jsonl`, `lock`, which it holds while it lives, and once it
serves `pid` and `address`, the path of the socket. It ends by itself within a second of its folder being removed, or of
the end of its `--parent`.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import socketserver
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger.clock import monotonic
from ledger.demo.fake.journal import Journal, read_journal
from ledger.demo.fake.tasks import Tasks
from ledger.errors import LedgerError, MalformedRecord

ADDRESS_BYTES_MAX = 99
LOOK_SECONDS = 1.0
LOCK_SECONDS = 1.0  # a process that was killed lets go of the folder a moment after it stops answering
DISK_FAILED, SERVED_ALREADY = os.EX_IOERR, os.EX_TEMPFAIL


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A thread for each connection, and one verb at a time."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, tasks: Tasks) -> None:
        super().__init__(address, _Connection)
        self.stopping, self.told_to_stop = threading.Event(), False
        self._tasks, self._lock = tasks, threading.Lock()

    def answer(self, line: bytes) -> dict[str, Any] | None:
        """The answer to a request; None where its script drops it."""
        try:
            with self._lock:
                return self._take(json.loads(line))
        except LedgerError as error:
            return {"error": str(error), "code": error.code, "facts": dict(error.facts)}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return {"error": f"A request must be understood: {error!r}.", "code": MalformedRecord.code, "facts": {}}
        except OSError:
            os._exit(DISK_FAILED)  # what is not in its journal it must not know

    def _take(self, request: dict[str, Any]) -> dict[str, Any] | None:
        verb, parameters = request.pop("verb"), request
        if verb == "call":
            return self._call(**parameters)
        verbs: dict[str, Callable[..., Any]] = {
            "list": self._tasks.listing,
            "ask": self._tasks.ask,
            "cancel": self._tasks.cancel,
            "fence": self._tasks.fence,
            "release": self._tasks.release,
            "stop": self._stop,
        }
        return {"answer": verbs[verb](**parameters)}

    def _stop(self) -> None:
        self._tasks.settle()
        self.told_to_stop = True

    def _call(
        self, *, operation: str, params: Any = None, token: str | None = None, script: Any = None
    ) -> dict[str, Any] | None:
        external_id, new = self._tasks.call(operation, params, token, script)
        if new is not None and new.dies is not None:
            os._exit(1)
        return None if new is not None and new.drops is not None else {"answer": external_id}


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            for line in self.rfile:
                answer = self.server.answer(line)
                if answer is None:
                    return
                self.wfile.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")
                if self.server.told_to_stop:
                    self.server.stopping.set()


def _lock(folder: Path) -> bool:
    """Take the folder for as long as this process lives; False where another has it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = monotonic() + LOCK_SECONDS
    while monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.005)
    return False


def _choose_address(folder: Path) -> Path:
    """Where to listen: in the folder, else in a private one whose path is short."""
    address = folder / "socket"
    if len(os.fsencode(address)) <= ADDRESS_BYTES_MAX:
        return address
    return Path(tempfile.mkdtemp(prefix="jobledger-fake-", dir="/tmp")) / "socket"  # TMPDIR may be long too


def _tell(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.replace(path)


def _clear(folder: Path) -> None:
    """Remove the address, its socket, and the private folder of that, which a killed process left behind."""
    with contextlib.suppress(FileNotFoundError):
        address = Path((folder / "address").read_text())
        (folder / "address").unlink()
        _remove_socket(folder, address)


def _remove_socket(folder: Path, address: Path) -> None:
    address.unlink(missing_ok=True)
    if address.parent != folder:
        with contextlib.suppress(FileNotFoundError):
            address.parent.rmdir()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _ended(parent: int | None) -> Callable[[], bool]:
    """A question: whether the parent is gone; our own is known to be, dead but unburied, from ours having changed."""
    if parent is None:
        return lambda: False
    if os.getppid() == parent:
        return lambda: os.getppid() != parent
    return lambda: not _lives(parent)


def serve(folder: Path, name: str, script: dict[str, Any], parent: int | None) -> int:
    """Serve until told to stop, or until the folder or the parent is gone; the exit status is returned."""
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    if not _lock(folder):
        return SERVED_ALREADY
    _clear(folder)
    gone, journal, address = _ended(parent), Journal(folder), _choose_address(folder)
    address.unlink(missing_ok=True)
    try:
        with _Server(str(address), Tasks(journal, read_journal(folder), name, script)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            _tell(folder / "pid", str(os.getpid()))
            _tell(folder / "address", str(address))
            while not (server.stopping.wait(LOOK_SECONDS) or journal.gone or gone()):
                pass
    finally:
        _remove_socket(folder, address)
        if not journal.gone:
            (folder / "address").unlink(missing_ok=True)
    return 0


def main() -> int:
    """Read the command line and serve; SIGTERM and SIGINT end the process as `stop` does."""
    parser = argparse.ArgumentParser(description="A fake executor, whose tasks follow a script.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds its journal, and its address while it runs")
    parser.add_argument("--name", default="fake", help="what its external ids begin with")
    parser.add_argument("--script", default="{}", metavar="JSON", help="what a task does that is called without one")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process does")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        return serve(options.folder.absolute(), options.name, json.loads(options.script), options.parent)
    except (LedgerError, OSError, ValueError) as error:
        print(f"The fake executor could not serve {options.folder}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
