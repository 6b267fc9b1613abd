"""Every command as the application has it, and many of them run in one process, on terminals or on pipes."""

import json
import os
import pty
import re
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from typer.main import get_command

from ledger.service.cli.app import COMMANDS, app
from tests.service.cli import driver

ROOT = Path(__file__).parents[3]


class Leaf(NamedTuple):
    """A command with the words that lead to it, and what it takes."""

    words: tuple[str, ...]
    arguments: int
    required: int
    options: tuple[str, ...]
    numbers: tuple[str, ...]


def leaves() -> Iterator[Leaf]:
    top: Any = get_command(app)
    for name in COMMANDS:
        command = top.get_command(None, name)
        for inner, leaf in getattr(command, "commands", {None: command}).items():
            options: list[Any]
            arguments = [each for each in leaf.params if each.param_type_name == "argument"]
            options = [each for each in leaf.params if each.param_type_name == "option" and each.name != "help"]
            yield Leaf(
                (name, inner) if inner else (name,),
                len(arguments),
                sum(each.required for each in arguments),
                tuple(each.opts[0] for each in options if not each.is_flag),
                tuple(each.opts[0] for each in options if each.type_descriptor.annotation in (int, float)),
            )


class Said(NamedTuple):
    """What one command said on each stream, and its exit code."""

    words: list[str]
    out: bytes
    err: bytes
    code: str


def run_all(commands: Sequence[list[str]], env: dict[str, str], tmp_path: Path, *, terminal: bool) -> list[Said]:
    file = tmp_path / "commands"
    file.write_text("".join(json.dumps(words) + "\n" for words in commands), encoding="ascii")
    words = (sys.executable, "-m", driver.__name__, str(file))
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    with Pipes(terminal=terminal) as pipes:
        with subprocess.Popen(
            words,
            cwd=work,  # where a command may write files under hostile names
            env=env | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=pipes.writing[0],
            stderr=pipes.writing[1],
        ) as process:
            pipes.begin()
        out, err = pipes.read()
    assert process.returncode == 0, err[-2000:]
    return [Said(words, *parts) for words, parts in zip(commands, _parts(out, err), strict=True)]


def _parts(out: bytes, err: bytes) -> Iterator[tuple[bytes, bytes, str]]:
    end = re.compile(rb"~~~ end of \d+ with (.*)\n")
    outs, errs = end.split(out), end.split(err)
    for place in range(0, len(outs) - 1, 2):
        yield outs[place], errs[place], outs[place + 1].decode()


class Pipes:
    """Two pipes to read all of, or two terminals that change no byte."""

    def __init__(self, *, terminal: bool) -> None:
        pairs = [pty.openpty() if terminal else os.pipe() for _ in range(2)]
        self._reading = [pair[0] for pair in pairs]
        self.writing = [pair[1] for pair in pairs]
        if terminal:
            for end in self.writing:
                tty.setraw(end, termios.TCSANOW)
        self._found = [bytearray(), bytearray()]
        self._threads = [threading.Thread(target=self._take, args=(place,)) for place in range(2)]

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Read from here on; whoever writes has the other ends by now."""
        for end in self.writing:
            os.close(end)
        for thread in self._threads:
            thread.start()

    def _take(self, place: int) -> None:
        try:
            while data := os.read(self._reading[place], 65_536):
                self._found[place] += data
        except OSError:  # how a terminal says that nobody has its other end
            pass

    def read(self) -> tuple[bytes, bytes]:
        for thread in self._threads:
            thread.join(timeout=60)
        return bytes(self._found[0]), bytes(self._found[1])

    def __exit__(self, *_: object) -> None:
        for end in self._reading:
            os.close(end)
