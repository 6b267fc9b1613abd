import os
from pathlib import Path

from ledger.service.embedded import EmbeddedServer


def test_no_permission_outside_the_folder_changes(server: EmbeddedServer, parent: Path, folder: Path) -> None:
    """Parents that are closed to others stay closed, also for root, and all files are the caller's."""
    watched = [parent, *parent.parents]
    before = [(path.stat().st_mode, path.stat().st_uid) for path in watched]
    server.start()
    assert [(path.stat().st_mode, path.stat().st_uid) for path in watched] == before
    assert parent.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == os.geteuid()
    for path in (*folder.iterdir(), *folder.glob("socket/.s.*")):
        assert path.stat().st_mode & 0o077 == 0 or path.suffix == ".log", path
