"""The journal of the fake executor: every fact about its tasks, one JSON object a line, in the order they became true.

A line is `{"at","what","task","token","operation"}`, where `what` is accepted (with `params` and `script`), started,
succeeded, failed, cancelled, forgotten or fenced (a token alone). It is the truth of what ran: a fact is in it before
anybody is answered, and a process killed in the middle of a line had not written it.
"""

import json
import os
from pathlib import Path
from typing import Any

JOURNAL = "journal.jsonl"


class Journal:
    """The journal in a folder, opened to append; raises `OSError` where the disk does not let it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._descriptor, self._path.read_bytes().rfind(b"\n") + 1)

    def write(self, facts: list[dict[str, Any]]) -> None:
        """Append facts; from here on they outlive this process."""
        left = "".join(f"{json.dumps(fact, separators=(',', ':'))}\n" for fact in facts).encode()
        while left:
            left = left[os.write(self._descriptor, left) :]

    @property
    def gone(self) -> bool:
        """Whether the file is no longer at its path."""
        try:
            return not os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return True


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """The facts in the journal of a folder, oldest first, whether or not its process runs; none where there is none."""
    try:
        text = (folder / JOURNAL).read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]
