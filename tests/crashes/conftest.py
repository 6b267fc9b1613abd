from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crashes.stage import Stage


@pytest.fixture
def stage(conninfo: str, tmp_path: Path) -> Iterator[Stage]:
    """Where flows are played; its executor is stopped in the end."""
    stage = Stage(conninfo, tmp_path)
    yield stage
    stage.close()
