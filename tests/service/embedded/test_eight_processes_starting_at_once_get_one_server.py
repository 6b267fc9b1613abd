import subprocess
from collections.abc import Callable
from pathlib import Path

from ledger.service.embedded import EmbeddedServer

START = "server.start(); import psycopg; psycopg.connect(server.conninfo()).close(); print(server.status().pid)"


def test_eight_processes_starting_at_once_get_one_server(
    server: EmbeddedServer, folder: Path, client: Callable[..., subprocess.Popen[str]]
) -> None:
    """Whoever comes first makes and starts the server; the others wait for it and share it."""
    answers = [process.communicate(timeout=60)[0] for process in [client(START, folder) for _ in range(8)]]
    assert set(answers) == {f"{server.status().pid}\n"}
