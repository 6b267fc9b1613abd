import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ledger.service.embedded import EmbeddedServer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
def test_root_without_user_namespaces_is_served(
    server: EmbeddedServer, parent: Path, folder: Path, client: Callable[..., subprocess.Popen[str]]
) -> None:
    """Where unshare is refused the server runs as nobody; the data moves between both ways, and no parent opens."""
    refuse = parent / "bin" / "unshare"
    refuse.parent.mkdir()
    refuse.write_text("#!/bin/sh\nexit 1\n")
    refuse.chmod(0o755)
    path = f"{refuse.parent}:{os.environ['PATH']}"
    said = client("server.start(); print(server.status().running)", folder, PATH=path).communicate(timeout=60)[0]
    if "setpriv" in said:
        pytest.skip("this container leaves root no way to another account")
    assert said == "True\n"
    assert {data.stat().st_uid for data in folder.glob("pg??")} != {0}
    with psycopg.connect(server.conninfo()) as connection:
        connection.execute("CREATE TABLE kept ()")
    assert server.stop() is True
    server.start()
    with psycopg.connect(server.conninfo()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert (parent.stat().st_mode & 0o777, folder.stat().st_uid) == (0o700, 0)
