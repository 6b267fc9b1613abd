from collections.abc import Iterator

import pytest

from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import migrator


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The conninfo of a superuser, of a ledger on a server that this PgBouncer may reach, whoever runs the others."""
    server = EmbeddedServer(tmp_path_factory.mktemp("behind"))
    server.start()
    try:
        migrator().migrate(server.conninfo())
        yield server.conninfo()
    finally:
        server.stop()
