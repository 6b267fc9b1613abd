"""What this process is called where somebody looks who uses the database: which one it is, where, and what it does."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

NAME_BYTES_MAX = 63  # of PostgreSQL
HOST_BYTES_MIN = 8

_commands: list[str] = []


@contextmanager
def running(command: str) -> Iterator[None]:
    """Let every connection that is made meanwhile say that it is of this command."""
    _commands.append(command)
    try:
        yield
    finally:
        _commands.pop()


def name(speaker: str = "") -> str:
    """`jobledger`, process, host, and the command or the owner that speaks, as far as there is room.

    In ASCII, as PostgreSQL shows it, and without what would end a text of SQL. A host is cut before what it does is.
    """
    does = " ".join(filter(None, (*_commands[-1:], speaker)))
    does = "".join(letter if " " <= letter <= "~" and letter not in "'\\" else "?" for letter in does)
    begin = f"jobledger/{os.getpid()}@"
    host = socket.gethostname()[: max(HOST_BYTES_MIN, NAME_BYTES_MAX - len(f"{begin} {does}"))]
    return f"{begin}{host} {does}"[:NAME_BYTES_MAX].rstrip()
