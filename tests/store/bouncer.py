"""PgBouncer before a server of its own."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.service.embedded.account import choose_account
from ledger.service.embedded.binaries import binaries
from tests.recovery.facts import until

PORT = 6432
needs_pgbouncer = pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="PgBouncer is not installed")


@contextmanager
def bouncer(conninfo: str, folder: Path, mode: str, size: int = 4) -> Iterator[str]:
    """The conninfo through a PgBouncer in this mode that has so many sessions."""
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
    with socket.socket(socket.AF_UNIX) as client:
        return path.exists() and client.connect_ex(str(path)) == 0
