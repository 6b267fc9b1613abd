"""A connection to the process of the fake executor: a line of JSON there, a line of JSON back."""

import json
import select
import socket
import time
from typing import IO, Any

from ledger.clock import monotonic

ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.002


class Connection:
    """One connection to the process, for one thread at a time; raises `OSError` where nobody listens."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(ANSWER_SECONDS)
            self._dial(address)
        except OSError:
            self._socket.close()
            raise
        self._answers: IO[bytes] = self._socket.makefile("rb")
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def _dial(self, address: str) -> None:
        deadline = monotonic() + ANSWER_SECONDS
        while True:
            try:
                return self._socket.connect(address)
            except BlockingIOError:  # more callers are queued than the process has room for
                if monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    @property
    def stale(self) -> bool:
        """Whether the other side has hung up; between answers it has nothing else to say."""
        return bool(self._poll.poll(0))

    def exchange(self, verb: str, **parameters: Any) -> Any:
        """The answer to a request; raises `OSError` where there is none."""
        self._socket.sendall(json.dumps({"verb": verb, **parameters}, separators=(",", ":")).encode() + b"\n")
        answer = self._answers.readline()
        if not answer.endswith(b"\n"):
            raise ConnectionResetError("the connection ended before the answer")
        return json.loads(answer)

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()
