import socket
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.appending.line import Line
from ledger.service.assembly import assemble
from ledger.store import connection as connections
from ledger.store.connection import connect
from ledger.store.datastore import Datastore
from tests.store.proxy import Proxy

OPTIONS = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
DEFAULTS = (4, 2, 3, 10_000)


def _bounds(connection: psycopg.Connection[object]) -> tuple[int, ...]:
    with socket.socket(fileno=socket.dup(connection.fileno())) as end:
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return tuple(end.getsockopt(socket.IPPROTO_TCP, option) for option in OPTIONS)


def test_every_connection_finds_a_dead_peer_in_ten_seconds(conninfo: str) -> None:
    """One for what is done once, those of the pool, and that of appends."""
    with Proxy(conninfo) as proxy:
        with connect(proxy.conninfo) as connection:
            assert _bounds(connection) == DEFAULTS
        with Datastore(proxy.conninfo) as datastore, datastore.connection() as connection:
            assert _bounds(connection) == DEFAULTS
        line = Line(proxy.conninfo, lambda: None)
        with line.transaction(lambda _: None) as connection:
            assert _bounds(connection) == DEFAULTS
        line.close()


def test_what_the_dsn_says_stands(conninfo: str) -> None:
    said = {"keepalives_idle": 33, "keepalives_count": 7, "tcp_user_timeout": 2_500}
    with Proxy(conninfo) as proxy, connect(make_conninfo(proxy.conninfo, **said)) as connection:
        assert _bounds(connection) == (33, 2, 7, 2_500)


def test_what_a_service_says_stands(conninfo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services"
    file.write_text("[ledger]\nkeepalives_interval=5\ntcp_user_timeout=1500\nconnect_timeout=77\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    with Proxy(conninfo) as proxy, connect(make_conninfo(proxy.conninfo, service="ledger")) as connection:
        assert _bounds(connection) == (4, 5, 3, 1_500)
    assert "connect_timeout=77" in connections._with_defaults("service=ledger")
    monkeypatch.setenv("PGSERVICE", "ledger")
    assert "connect_timeout=77" in connections._with_defaults("")


@pytest.mark.parametrize("said", ["connect_timeout=3", ""])
def test_the_time_to_connect_is_that_of_the_dsn(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment where the DSN has none, and ten seconds where neither has."""
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    assert f"connect_timeout={'3' if said else '10'}" in connections._with_defaults(said)
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "5")
    assert ("connect_timeout" in connections._with_defaults(said)) == bool(said)


def test_the_server_is_told_which_process_connects(conninfo: str) -> None:
    """Unless the DSN has a name for it."""
    question = "SELECT current_setting('application_name') AS name"
    with assemble(conninfo) as ledger, ledger._feed._datastore.connection() as connection:
        name = connection.execute(question).fetchall()[0]["name"]
        assert name.startswith("jobledger/")
        assert name.endswith(f"@{socket.gethostname()}"[: 63 - len("jobledger/12345")])
    with connect(make_conninfo(conninfo, application_name="engine")) as connection:
        assert connection.execute(question).fetchall() == [{"name": "engine"}]
