import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg

from ledger.service.embedded import EmbeddedServer


def test_reused_process_id_does_not_stop_a_start(
    server: EmbeddedServer, folder: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """The process id that a killed server left on file may be another program's now, as after a container's restart."""
    server.start()
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.status().running)
    for remains in (*folder.glob("pg*/postmaster.pid"), *folder.glob("socket/.s.PGSQL.*.lock")):
        remains.write_text(remains.read_text().replace(str(pid), str(os.getpid()), 1))
    assert server.stop() is False
    server.start()
    psycopg.connect(server.conninfo()).close()
