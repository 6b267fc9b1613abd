"""A fake executor for every test that needs one: a real process, in a folder of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.demo.fake.executor import FakeExecutor


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[FakeExecutor]:
    """A fake executor that runs; its folder is `tmp_path / "executor"`."""
    with FakeExecutor(tmp_path / "executor") as started:
        yield started


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """The folder in which the journal of `executor` is."""
    return tmp_path / "executor"
