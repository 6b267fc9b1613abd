import os
import signal

import psycopg

from ledger.service.embedded import EmbeddedServer


def test_committed_rows_survive_a_killed_postmaster(server: EmbeddedServer) -> None:
    """After `kill -9` the next start waits for the old processes to be gone, recovers, and has every row."""
    server.start()
    first = server.status().pid
    assert first is not None
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS row")
        os.kill(first, signal.SIGKILL)
        server.start()
    with psycopg.connect(server.conninfo()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
    assert server.status().pid != first
