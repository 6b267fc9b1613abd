from pathlib import Path

import psycopg

from ledger.service.embedded import EmbeddedServer


def test_stop_ends_the_server_and_tells_so(server: EmbeddedServer, folder: Path) -> None:
    """Stop returns when the process is gone, says False where there was none, and a start brings the data back."""
    assert server.stop() is False
    assert not folder.exists()
    server.start()
    pid = server.status().pid
    with psycopg.connect(server.conninfo()) as connection:
        connection.execute("CREATE TABLE kept ()")
    idle = psycopg.connect(server.conninfo())
    assert server.stop() is True
    idle.close()
    command = Path(f"/proc/{pid}/cmdline")
    assert not command.exists() or command.read_bytes() == b""  # gone, or a zombie that init has yet to reap
    assert server.status().running is False
    assert server.stop() is False
    server.start()
    with psycopg.connect(server.conninfo()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
