import os
from pathlib import Path

import pytest

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded import EmbeddedServer


def test_folder_of_somebody_else_is_refused(parent: Path) -> None:
    """Root does not write into another user's folder either; nothing is put there."""
    folder = Path("/usr")
    if os.geteuid() == 0:
        folder = parent / "theirs"
        folder.mkdir()
        os.chown(folder, 65534, 65534)
    before = sorted(folder.iterdir())
    with pytest.raises(EmbeddedUnusable, match=r"must belong to user .* JOBLEDGER_DATA") as refused:
        EmbeddedServer(folder).start()
    assert refused.value.facts == {"folder": str(folder)}
    assert sorted(folder.iterdir()) == before


def test_folder_open_to_everybody_is_refused(parent: Path) -> None:
    """Who can replace the socket can pose as the server."""
    parent.chmod(0o777)
    with pytest.raises(EmbeddedUnusable, match="closed to other users"):
        EmbeddedServer(parent).start()


def test_file_in_place_of_the_folder_is_refused(parent: Path) -> None:
    """The file is left as it is."""
    (parent / "file").write_text("mine")
    for folder in (parent / "file", parent / "file" / "below"):
        with pytest.raises(EmbeddedUnusable, match="JOBLEDGER_DATA"):
            EmbeddedServer(folder).start()
    assert (parent / "file").read_text() == "mine"


def test_folder_that_cannot_be_made_is_refused() -> None:
    """Not even root makes folders in /proc."""
    with pytest.raises(EmbeddedUnusable, match="JOBLEDGER_DATA"):
        EmbeddedServer(Path("/proc/jobledger")).start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_refused(parent: Path) -> None:
    """A read-only folder of ours is told apart from somebody else's."""
    parent.chmod(0o500)
    with pytest.raises(EmbeddedUnusable, match="must be writable"):
        EmbeddedServer(parent).start()
    parent.chmod(0o700)
