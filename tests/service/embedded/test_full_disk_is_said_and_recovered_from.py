import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.errors import DiskFull
from ledger.service.embedded import EmbeddedServer


@pytest.fixture
def small_disk(parent: Path) -> Iterator[Path]:
    disk = parent / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this test mounts a small disk, which needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_is_said_and_recovered_from(small_disk: Path) -> None:
    """A disk that fills up in a first start leaves no draft behind; with more room the same call works."""
    server = EmbeddedServer(small_disk / "data")
    with pytest.raises(DiskFull, match="free some"):
        server.start()
    assert not [path for path in (small_disk / "data").iterdir() if path.is_dir()]
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    server.start()
    try:
        psycopg.connect(server.conninfo()).close()
    finally:
        server.stop()
