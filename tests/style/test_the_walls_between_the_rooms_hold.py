"""Each contract of `scripts/check` is broken in a copy of the tree, and found broken there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("importlinter", reason="import-linter comes with the extra check")
ROOMS, PURE, APART, SQL = (
    "The rooms, from the faces down to the words",
    "The domain is pure",
    "Projections never import one another, but job_status",
    "Only these rooms execute SQL",
)


def _broken(tree: Path) -> set[str]:
    """The contracts that a tree breaks."""
    told = subprocess.run(
        (Path(sys.executable).with_name("lint-imports"), "--no-cache"),
        cwd=tree,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    lines = told.stdout.splitlines()
    assert any(line.startswith("Contracts: ") for line in lines), told.stdout + told.stderr
    return {line.rpartition(" BROKEN")[0] for line in lines if " BROKEN" in line}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("tree")
    for room in ("ledger", "projections"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_no_wall_is_broken(tree: Path) -> None:
    assert _broken(tree) == set()


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("ledger/store/mapper.py", "import ledger.appending.recorder", {ROOMS}),
        ("ledger/domain/job.py", "from ledger.store import mapper", {ROOMS}),
        ("ledger/recovery/verdicts.py", "import ledger.integrity.tiles", {ROOMS}),
        ("ledger/application.py", "import projections.document", {ROOMS}),
        ("projections/document.py", "import ledger.service.wire", {ROOMS}),
        ("ledger/domain/job.py", "import time", {PURE}),
        ("ledger/domain/job.py", "import psycopg", {PURE, SQL}),
        ("projections/inline/told.py", "import projections.inline.running_jobs", {APART}),
        ("ledger/recovery/reconcile.py", "import psycopg", {SQL}),
        ("ledger/service/cli/ask.py", "import psycopg", {SQL}),
        ("ledger/asking/questions.py", "from psycopg import sql", {SQL}),
    ],
)
def test_a_wall_that_is_walked_through_is_found_broken(tree: Path, file: str, line: str, broken: set[str]) -> None:
    path = tree / file
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        assert _broken(tree) == broken
    finally:
        path.write_text(before)
