from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.service.embedded import EmbeddedServer


@pytest.fixture(params=["d" * 100, 'a "quoted", $HOME `folder`'])
def unfit(request: pytest.FixtureRequest, parent: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(parent / request.param)
    yield server
    server.stop()


def test_long_path_listens_in_the_temporary_directory(unfit: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is too long for a socket, or that libpq would misread, is replaced by a private folder on record."""
    unfit.start()
    status = unfit.status()
    assert not status.socket_folder.is_relative_to(status.folder)
    assert status.socket_folder.stat().st_mode & 0o777 == 0o700
    assert (status.folder / "socket.path").read_text() == str(status.socket_folder)
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")  # a client with another TMPDIR
    psycopg.connect(EmbeddedServer(status.folder).conninfo()).close()


def test_stopping_leaves_nothing_in_the_temporary_directory(unfit: EmbeddedServer) -> None:
    """The folder of the socket goes with the server, unless it holds what is not ours, and comes again with it."""
    for _ in range(2):
        unfit.start()
        status = unfit.status()
        assert unfit.stop()
        assert not status.socket_folder.exists()
        assert not (status.folder / "socket.path").exists()

    unfit.start()
    stranger = unfit.status().socket_folder / "note"
    stranger.touch()
    assert unfit.stop()
    assert [*stranger.parent.iterdir()] == [stranger]
    stranger.unlink()
    stranger.parent.rmdir()


def test_plain_path_with_a_space_keeps_its_socket(parent: Path) -> None:
    """A space is no reason to listen elsewhere."""
    server = EmbeddedServer(parent / "my data")
    server.start()
    try:
        psycopg.connect(server.conninfo()).close()
        assert server.status().socket_folder == parent / "my data" / "socket"
    finally:
        server.stop()
