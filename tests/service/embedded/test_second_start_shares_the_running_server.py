import time

from ledger.service.embedded import EmbeddedServer


def test_second_start_shares_the_running_server(server: EmbeddedServer) -> None:
    """A start of a running server finds it in milliseconds and changes nothing, by any name of the folder."""
    server.start()
    first = server.status()
    alias = first.folder.parent / "alias"
    alias.symlink_to(first.folder)
    other = EmbeddedServer(alias)
    seconds = []
    for _ in range(5):
        begun = time.monotonic()
        other.start()
        seconds.append(time.monotonic() - begun)
    assert other.status().pid == first.pid
    assert min(seconds) < 0.05
