"""A folder in front of ours that has a module of the same name, as many projects have one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

USE = "from ledger import open_ledger"
COMMAND = "from ledger.service.cli import main; main()"


def _run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"}
    return subprocess.run(
        (sys.executable, *words), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(params=["projections.py", "projections/__init__.py"])
def hiding(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = tmp_path / request.param
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    return path


def test_a_module_that_hides_ours_is_named(hiding: Path, tmp_path: Path) -> None:
    done = _run(tmp_path, "-c", USE)

    last = done.stderr.splitlines()[-1]
    assert last == (
        f"ImportError: The import name projections must be that of jobledger, and is {hiding}; rename that one, or let "
        "sys.path name its folder behind jobledger's."
    )


def test_the_command_says_so_in_one_line(hiding: Path, tmp_path: Path) -> None:
    done = _run(tmp_path, "-c", COMMAND, "list")

    assert done.returncode == 70
    assert done.stderr.startswith(f"jobledger: The import name projections must be that of jobledger, and is {hiding};")
    assert len(done.stderr.splitlines()) == 1


def test_another_fault_of_an_import_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError('of its own')")

    done = _run(tmp_path, "-c", USE)

    assert done.stderr.splitlines()[-1] == "ImportError: of its own"
