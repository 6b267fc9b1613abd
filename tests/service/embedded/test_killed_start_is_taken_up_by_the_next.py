import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from ledger.service.embedded import EmbeddedServer


def test_killed_start_is_taken_up_by_the_next(
    server: EmbeddedServer,
    folder: Path,
    client: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[[Callable[[], bool]], None],
) -> None:
    """`kill -9` of a client as soon as its server begins to say something does not stop the next start."""
    server.start()
    server.stop()
    log = next(folder.glob("pg*.log"))
    log.write_bytes(b"")
    process = client("server.start(); sys.stdin.read()", folder)
    wait_until(lambda: log.stat().st_size > 0)
    process.kill()
    process.communicate(timeout=10)
    server.start()
    psycopg.connect(server.conninfo()).close()
