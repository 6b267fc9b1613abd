from pathlib import Path

import pytest

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded import EmbeddedServer


def test_failed_start_quotes_the_log(server: EmbeddedServer, folder: Path) -> None:
    """The sentence says why PostgreSQL would not start; once that is mended, it does."""
    server.start()
    server.stop()
    settings = next(folder.glob("pg*/postgresql.auto.conf"))
    kept = settings.read_text()
    settings.write_text("max_connections = 'many'\n")
    with pytest.raises(EmbeddedUnusable, match="max_connections") as refused:
        server.start()
    assert "\n" not in str(refused.value)
    settings.write_text(kept)
    server.start()
    assert server.status().running
