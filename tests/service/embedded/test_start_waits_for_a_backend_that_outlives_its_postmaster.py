import os
import signal
import threading
import time

import psycopg

from ledger.service.embedded import EmbeddedServer

BUSY = "DO $$ DECLARE n bigint := 0; BEGIN PERFORM 1; FOR n IN 1..30000000 LOOP END LOOP; END $$"


def test_start_waits_for_a_backend_that_outlives_its_postmaster(server: EmbeddedServer) -> None:
    """No second server touches the data while a process of the killed one still computes."""
    server.start()
    first = server.status().pid
    assert first is not None
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        orphan = connection.info.backend_pid
        thread = threading.Thread(target=_compute, args=(connection,))
        thread.start()
        _wait_until_active(server, orphan)
        os.kill(first, signal.SIGKILL)
        server.start()
        assert not _computes(orphan)
        thread.join(timeout=30)


def _compute(connection: psycopg.Connection) -> None:
    try:
        connection.execute(BUSY)
    except psycopg.OperationalError:
        return


def _wait_until_active(server: EmbeddedServer, pid: int) -> None:
    query = "SELECT state FROM pg_stat_activity WHERE pid = %s"
    deadline = time.monotonic() + 10
    with psycopg.connect(server.conninfo(), autocommit=True) as watcher:
        while watcher.execute(query, [pid]).fetchone() != ("active",):
            assert time.monotonic() < deadline


def _computes(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as command:  # noqa: PTH123 - of a zombie it is empty
            return command.read().startswith(b"postgres:")
    except OSError:
        return False
