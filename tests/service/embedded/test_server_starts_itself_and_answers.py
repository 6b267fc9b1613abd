import psycopg

from ledger.service.embedded import EmbeddedServer

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "max_connections": "200",
    "TimeZone": "UTC",
}


def test_server_starts_itself_and_answers(server: EmbeddedServer) -> None:
    """A first start makes the folder and a UTF-8 database, keeps what it commits, and listens on no network."""
    server.start()
    with psycopg.connect(server.conninfo()) as connection:
        found = connection.execute(
            "SELECT current_database(), pg_encoding_to_char(encoding), datcollate, current_setting('is_superuser')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        settings = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in SETTINGS}
    assert found == ("jobledger", "UTF8", "C", "on")
    assert settings == {name: (value,) for name, value in SETTINGS.items()}


def test_status_tells_what_runs(server: EmbeddedServer) -> None:
    """The status knows folder, process, release, socket and size, before the first start and after."""
    before = server.status()
    server.start()
    after = server.status()
    assert (before.running, before.pid, before.version, before.size_bytes) == (False, None, None, 0)
    assert after.running
    assert after.pid is not None
    assert after.version is not None
    assert (after.folder / f"pg{after.version.split('.')[0]}").is_dir()
    assert after.socket_folder == after.folder / "socket"
    assert after.size_bytes > 1_000_000
    assert after.folder.stat().st_mode & 0o777 == 0o700
