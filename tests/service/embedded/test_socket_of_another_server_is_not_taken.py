import socket
from pathlib import Path

import pytest

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded import EmbeddedServer


def test_socket_of_another_server_is_not_taken(server: EmbeddedServer, folder: Path) -> None:
    """Whoever listens there goes on listening; when it has gone, what it left does not matter."""
    path = folder / "socket" / ".s.PGSQL.5432"
    path.parent.mkdir(parents=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(EmbeddedUnusable, match="another server answers"):
            server.start()
        assert path.is_socket()
    server.start()
    assert server.status().running
