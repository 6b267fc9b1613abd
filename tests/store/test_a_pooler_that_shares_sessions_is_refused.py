"""Behind PgBouncer: a session for each client serves, another for each transaction is refused in one sentence."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.errors import Unavailable
from ledger.service.assembly import diagnose, open_ledger
from ledger.service.embedded import EmbeddedServer
from ledger.service.embedded.account import choose_account
from ledger.service.embedded.binaries import binaries
from ledger.service.readiness import migrator
from ledger.service.settings import Database
from ledger.store import pooler
from ledger.store.connection import connect
from tests.recovery.facts import until

PORT = 6432
needs_pgbouncer = pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="PgBouncer is not installed")


@contextmanager
def _bouncer(conninfo: str, folder: Path, mode: str, size: int = 4) -> Iterator[str]:
    server = conninfo_to_dict(conninfo)
    name = server["dbname"]
    told = " ".join(f"{key}={server[key]}" for key in ("host", "port", "dbname", "user", "password") if key in server)
    (folder / "users").write_text(f'"{server["user"]}" "{server.get("password", "")}"\n')
    (folder / "ini").write_text(
        f"[databases]\n{name} = {told}\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {folder}\n"
        f"listen_port = {PORT}\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n"
        f"logfile = {folder}/log\nignore_startup_parameters = extra_float_digits\n"
    )
    process = subprocess.Popen(
        [*choose_account(folder, binaries() / "postgres").prefix, "pgbouncer", "-q", str(folder / "ini")]
    )
    try:
        until(lambda: _listens(folder / f".s.PGSQL.{PORT}"))
        yield make_conninfo("", host=str(folder), port=PORT, dbname=name, user=server["user"])
    finally:
        process.terminate()
        process.wait(30)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(path)) == 0


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


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("size", [1, 4])
def test_one_that_shares_sessions_is_refused(behind: str, tmp_path: Path, mode: str, size: int) -> None:
    """At a long-lived open, and by doctor, with the remedy."""
    with _bouncer(behind, tmp_path, mode, size) as conninfo:
        with pytest.raises(Unavailable, match="pool_mode = session") as raised:
            open_ledger(conninfo)
        assert raised.value.code == "transaction_pooler"
        found = diagnose(Database(conninfo, None))
        assert [each.level for each in found if each.code == "pooler"] == ["error"]


@needs_pgbouncer
def test_one_that_keeps_a_session_a_client_serves(behind: str, tmp_path: Path) -> None:
    with _bouncer(behind, tmp_path, "session") as conninfo:
        with open_ledger(conninfo) as ledger:
            threads = [Thread(target=ledger.plan, args=("T",), kwargs={"job": f"j{n}"}) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert ledger.position() == 8
        assert [each.level for each in diagnose(Database(conninfo, None)) if each.code == "pooler"] == ["ok"]


def test_without_a_pooler_no_second_connection_is_made(superuser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_conninfo: str) -> None:
        raise AssertionError

    monkeypatch.setattr(pooler, "connect", fail)
    with connect(superuser) as connection:
        pooler.refuse_transaction_pooler(connection)


def test_connections_of_their_own_share_nothing(superuser: str) -> None:
    with connect(superuser) as connection:
        assert not pooler.shares_sessions(connection)
