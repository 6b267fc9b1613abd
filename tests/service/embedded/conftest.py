"""Folders with short paths whose servers are stopped in the end, and clients that are processes of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.service import embedded
from ledger.service.embedded import EmbeddedServer
from ledger.service.embedded.lock import until

CODE = "import sys; from pathlib import Path; from ledger.service.embedded import EmbeddedServer; "
SERVER = CODE + "server = EmbeddedServer(Path(sys.argv[1])); "


@pytest.fixture
def parent() -> Iterator[Path]:
    """A 0700 folder; a socket below it has a path that is short enough, which tmp_path's would not be."""
    path = Path(tempfile.mkdtemp(prefix="jl-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(parent: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(parent / "data")
    yield server
    server.stop()


@pytest.fixture
def folder(parent: Path) -> Path:
    return parent / "data"


@pytest.fixture
def client() -> Callable[..., subprocess.Popen[str]]:
    """Begin a process that has `server` for the folder and runs some code; `before` stands before its command."""

    def begin(code: str, folder: Path, *before: str, **environment: str) -> subprocess.Popen[str]:
        assert embedded.__file__ is not None
        root = str(Path(embedded.__file__).parents[3])
        return subprocess.Popen(
            [*before, sys.executable, "-W", "error", "-c", SERVER + code, str(folder)],
            env={**os.environ, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return begin


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        assert until(condition, 30.0), "what was waited for did not happen within 30 s"

    return wait
