import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from ledger.service.embedded import EmbeddedServer


def test_server_outlives_a_killed_client(
    server: EmbeddedServer, folder: Path, client: Callable[..., subprocess.Popen[str]]
) -> None:
    """`kill -9` of the process that started it leaves the server to the others, and holds none of its pipes open."""
    process = client("server.start(); print('up', flush=True); sys.stdin.read()", folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    pid = server.status().pid
    process.kill()
    process.communicate(timeout=10)  # ends only when nobody has the client's output open
    server.start()
    with psycopg.connect(server.conninfo()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert server.status().pid == pid
