from pathlib import Path

import pytest

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded import EmbeddedServer


def test_data_of_another_release_is_refused(server: EmbeddedServer, folder: Path) -> None:
    """An empty ledger beside the old one would look like a loss."""
    (folder / "pg9").mkdir(parents=True)
    (folder / "pg9" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedUnusable, match=r"pg9.*JOBLEDGER_DATA"):
        server.start()
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["pg9"]
