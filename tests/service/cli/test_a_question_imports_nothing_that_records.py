import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.service.cli.conftest import environment, on

# Runs the command, then tells what it has imported: the last line on stderr.
TOLD = """
import sys
from ledger.service.cli import run
try:
    sys.exit(run())
finally:
    print(*sys.modules, file=sys.stderr)
"""
QUESTIONS = [("show", "j1"), ("busy", "vm/a"), ("list", "--active"), ("tree", "j1")]
RECORDING = {
    "ledger.application", "ledger.appending", "ledger.owners", "ledger.records", "ledger.recovery",
    "ledger.domain.admission", "ledger.domain.commands", "ledger.domain.events", "ledger.domain.job",
    "ledger.service.assembly", "ledger.store.datastore", "ledger.store.feed", "projections.followed.follower",
    "projections.inline.job_status", "projections.inline.views", "projections.inline.running_jobs",
}  # fmt: skip


@pytest.fixture
def dsn(ledger: Ledger, conninfo: str) -> str:
    ledger.plan("T", job="j1", entities=[on("vm/a")])
    return conninfo


def imported(dsn: str | None, *words: str) -> set[str]:
    command = (sys.executable, "-c", TOLD, *words)
    done = subprocess.run(command, env=environment(dsn), capture_output=True, text=True, timeout=60, check=True)
    return set(done.stderr.splitlines()[-1].split())


def requirements() -> set[str]:
    """What the project is built on, in all of its parts, by the names that are imported."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for part in project["optional-dependencies"].values() for line in part)]
    return {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in lines} - {"jobledger"}


@pytest.mark.parametrize("words", QUESTIONS)
def test_a_question_imports_nothing_that_records(dsn: str, words: tuple[str, ...]) -> None:
    """Nor any other library than the driver and those of the command line."""
    found = imported(dsn, *words, "-o", "json")

    assert found & RECORDING == set()
    assert found & requirements() == {"psycopg", "pydantic", "typer"}


def test_only_a_table_needs_the_library_that_draws_it(dsn: str) -> None:
    assert "rich.table" in imported(dsn, "show", "j1")
    assert "rich.table" not in imported(dsn, "show", "j1", "-o", "json")


def test_help_needs_no_database(dsn: str) -> None:
    assert imported(None, "show", "--help") & {"psycopg", "ledger.asking.answers", *RECORDING} == set()


def test_what_records_is_seen_where_it_is_imported(dsn: str) -> None:
    """Each name is that of a module, and the look finds those that a command does need."""
    assert all(find_spec(name) for name in RECORDING)
    assert imported(dsn, "cancel", "j1") > RECORDING - {"ledger.recovery"}
    assert {"eventsourcing", "psycopg_pool"} < requirements() & imported(dsn, "history", "j1")
