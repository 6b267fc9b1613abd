from pathlib import Path

import pytest

from ledger.service.embedded import EmbeddedServer
from tests.service.cli.conftest import environment, execute


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder whose server is stopped in the end."""
    return tmp_path / "data"


def test_the_demo_tells_its_story_twice(folder: Path) -> None:
    own = environment(None, JOBLEDGER_DATA=str(folder))
    try:
        for _ in range(2):
            done = execute(("demo",), "", own)
            assert done.code == 0, done.err
            assert "4,096" in done.out
            assert "5,000 of 5,000 are still answered" in done.out
            assert "disk d-17" in done.out
            assert "db02-d4 were never sent" in done.out
            assert "The VM and its disks are free again" in done.out
            assert "found by its token" in done.out
        assert execute(("busy", "disk/d-17"), "", own).code == 0
        assert execute(("pg", "status"), "", own).code == 0
        assert execute(("doctor",), "", own).code == 0
        assert execute(("projections", "compare"), "", own).code == 0
        assert execute(("pg", "psql", "-c", "SELECT 1 / 0"), "", own).code == 1
        asked = execute(("pg", "psql", "-At"), "SELECT count(*) > 20000 FROM ledger.events", own)
        assert asked.out == "t\n"
    finally:
        stopped = execute(("pg", "stop"), "", own)
        EmbeddedServer(folder).stop()
    assert stopped.code == 0
    assert execute(("pg", "status"), "", own).code == 1
