"""The embedded server as its users see it: start, stop, status, conninfo, psql."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded.account import TIMEOUT_SECONDS, choose_account
from ledger.service.embedded.binaries import binaries, major_release
from ledger.service.embedded.cluster import DATABASE, SUPERUSER, Cluster, configure, create
from ledger.service.embedded.failure import one_sentence
from ledger.service.embedded.folder import (
    PORT,
    leave_socket_folder,
    prepare,
    prepare_socket_folder,
    refuse_strange,
    socket_folder,
)
from ledger.service.embedded.lock import opened, try_lock, until
from ledger.service.embedded.postmaster import (
    answers,
    claim,
    clear_remains,
    launch,
    postmaster_pid,
    shut_down,
    wait_ready,
)


@dataclass(frozen=True)
class ServerStatus:
    """What is known of a server: `pid` and `version` are None when it does not answer."""

    folder: Path
    running: bool
    pid: int | None
    version: str | None
    socket_folder: Path
    size_bytes: int


class EmbeddedServer:
    """The PostgreSQL server whose data is in `folder`; any number of objects and processes may speak for it.

    Every method raises EmbeddedUnusable, or DiskFull, with a sentence that says what to do.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.path.realpath(folder))  # one name for one server

    def start(self) -> None:
        """Make the server take connections, where it does not yet; its database is made at the first start."""
        with one_sentence(self._folder):
            prepare(self._folder)
            cluster = self._cluster()
            if answers(cluster):
                return
            with opened(self._folder / "lock") as lock:
                self._wait_for(lock)
                self._start(cluster, lock)

    def stop(self) -> bool:
        """Stop the server and wait until its processes are gone; False when it was not running."""
        with one_sentence(self._folder):
            if not self._folder.exists():
                return False
            refuse_strange(self._folder)
            cluster = self._cluster()
            with opened(self._folder / "lock") as lock:
                self._wait_for(lock)
                pid = postmaster_pid(cluster)
                if pid is not None:
                    shut_down(cluster, pid)
                    leave_socket_folder(self._folder)
                elif answers(cluster):
                    raise EmbeddedUnusable(
                        f"The server in {self._folder} must be stopped where its process can be seen, and it answers "
                        "from another container; stop it there.",
                        folder=str(self._folder),
                    )
                return pid is not None

    def status(self) -> ServerStatus:
        """Tell what is known of the server, without starting it."""
        with one_sentence(self._folder):
            if self._folder.exists():
                refuse_strange(self._folder)
            cluster = self._cluster()
            running = answers(cluster)
            return ServerStatus(
                folder=self._folder,
                running=running,
                pid=postmaster_pid(cluster) if running else None,
                version=self._version() if running else None,
                socket_folder=socket_folder(self._folder),
                size_bytes=_size_bytes(self._folder),
            )

    def conninfo(self, database: str = DATABASE) -> str:
        """Give the conninfo of the superuser, for libpq; the server need not run."""
        host = str(socket_folder(self._folder))
        return make_conninfo("", host=host, port=PORT, user=SUPERUSER, dbname=database)

    def psql(self, args: Sequence[str]) -> int:
        """Run psql as superuser on the started server, with our streams and these arguments; give its exit status."""
        self.start()
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        host = str(socket_folder(self._folder))
        place = {"PGHOST": host, "PGPORT": str(PORT), "PGUSER": SUPERUSER, "PGDATABASE": DATABASE}
        with subprocess.Popen([binaries() / "psql", *args], env={**ours, **place}) as process:  # noqa: S603 - our own
            while True:
                try:
                    status = process.wait()
                except KeyboardInterrupt:  # psql takes it as "cancel the query"
                    continue
                return status if status >= 0 else 128 - status

    def _cluster(self) -> Cluster:
        return Cluster(self._folder, major_release(binaries()))

    def _start(self, cluster: Cluster, lock: int) -> None:
        with opened(cluster.alive) as alive:
            if not claim(cluster, alive):
                return
            programs = binaries()
            account = choose_account(self._folder, programs / "postgres")
            create(cluster, account, programs, lock)
            account.take(cluster.data)
            sockets = prepare_socket_folder(self._folder)
            clear_remains(cluster, sockets)
            configure(cluster, sockets)
            launch(cluster, account, programs, alive)
        wait_ready(cluster)

    def _wait_for(self, lock: int) -> None:
        if not until(lambda: try_lock(lock), TIMEOUT_SECONDS):
            raise EmbeddedUnusable(
                f"One process at a time starts or stops the server in {self._folder}, and another has been at it for "
                f"{TIMEOUT_SECONDS:.0f} s; wait for that one or end it.",
                folder=str(self._folder),
            )

    def _version(self) -> str | None:
        try:
            with psycopg.connect(self.conninfo("postgres"), connect_timeout=5) as connection:
                return connection.info.parameter_status("server_version")
        except psycopg.OperationalError:
            return None


def _size_bytes(folder: Path) -> int:
    """Sum up what the folder takes on disk; files come and go while we count."""
    blocks = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                blocks += (Path(place) / name).lstat().st_blocks
            except FileNotFoundError:
                continue
    return blocks * 512
