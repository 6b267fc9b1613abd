"""The postmaster: the first process of the server; launched, found, waited for and stopped."""

import os
import signal
import socket
import struct
from pathlib import Path

from ledger.errors import EmbeddedUnusable
from ledger.service.embedded.account import TIMEOUT_SECONDS, Account
from ledger.service.embedded.cluster import Cluster
from ledger.service.embedded.failure import failure
from ledger.service.embedded.folder import SOCKET_NAME, socket_folder
from ledger.service.embedded.lock import is_locked, try_lock, until

STATUS_LINE = 7  # of postmaster.pid: starting, ready, stopping
REPLY_SECONDS = 2.0
ENCRYPTION_REQUEST = struct.pack("!ii", 8, 80877103)  # "SSLRequest", the least that a new backend replies to
IN_BACKGROUND = '"$@" &'  # init becomes its parent, so that it outlives us and leaves us no zombie


def answers(cluster: Cluster) -> bool:
    """Tell whether the server is ready and responds, in about a millisecond.

    A connection alone proves nothing: a postmaster that was just killed still listens while it dies.
    """
    ready = _pid_file(cluster)[STATUS_LINE:] == ["ready"]
    return ready and is_locked(cluster.alive) and _replies(socket_folder(cluster.folder), ENCRYPTION_REQUEST)


def listens(sockets: Path) -> bool:
    """Tell whether anybody, PostgreSQL or not, listens in this socket folder."""
    return _replies(sockets, b"")


def postmaster_pid(cluster: Cluster) -> int | None:
    """Read the postmaster's process id; None when the one on file is dead or, by now, another program's."""
    lines = _pid_file(cluster)
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    return pid if _serves(pid, cluster.data) else None


def claim(cluster: Cluster, alive: int) -> bool:
    """Wait until no process of an earlier server lives, and lock it; False when it came to answer instead.

    This keeps a second server off the data: after `kill -9` of a postmaster its other processes may still write.
    """
    until(lambda: try_lock(alive) or answers(cluster), TIMEOUT_SECONDS)
    if try_lock(alive):
        return True
    if answers(cluster):
        return False
    pids = ", ".join(map(str, _processes(cluster))) or "unknown"
    raise EmbeddedUnusable(
        f"The server in {cluster.folder} must answer or be gone, and for {TIMEOUT_SECONDS:.0f} s did neither; "
        f"end its processes ({pids}), then start again.",
        folder=str(cluster.folder),
    )


def clear_remains(cluster: Cluster, sockets: Path) -> None:
    """Remove what a dead server left; only for who has claimed its place.

    PostgreSQL itself clears them unless their process id was given to another program, as happens in containers.
    """
    if listens(sockets):
        raise EmbeddedUnusable(
            f"The socket in {sockets} must be free, and another server answers there; stop that one or set "
            "JOBLEDGER_DATA to another folder.",
            folder=str(cluster.folder),
        )
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (sockets / name).unlink(missing_ok=True)
    if postmaster_pid(cluster) is None:
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def launch(cluster: Cluster, account: Account, programs: Path, alive: int) -> None:
    """Start the postmaster in the background; it and all its children inherit `alive`."""
    with cluster.log.open("ab") as log:
        log.truncate(0)
        account.run(
            *("sh", "-c", IN_BACKGROUND, "sh", programs / "postgres", "-D", cluster.data),
            output=log.fileno(),
            heirs=(alive,),
        )


def wait_ready(cluster: Cluster) -> None:
    """Wait until the server answers; EmbeddedUnusable or DiskFull when it ended instead."""
    if not until(lambda: answers(cluster) or not is_locked(cluster.alive), TIMEOUT_SECONDS):
        raise EmbeddedUnusable(
            f"The server in {cluster.folder} must answer within {TIMEOUT_SECONDS:.0f} s, and is still starting; "
            f"start again to go on waiting, and see {cluster.log}.",
            folder=str(cluster.folder),
        )
    if not answers(cluster):
        log = cluster.log.read_text(encoding="utf-8", errors="replace")
        raise failure(cluster.folder, "started", log)


def shut_down(cluster: Cluster, pid: int) -> None:
    """Stop it fast: open transactions are rolled back, all else is kept; returns when its last process is gone."""
    os.kill(pid, signal.SIGINT)
    if until(lambda: not is_locked(cluster.alive) and not _serves(pid, cluster.data), TIMEOUT_SECONDS):
        return
    raise EmbeddedUnusable(
        f"The server in {cluster.folder} must stop within {TIMEOUT_SECONDS:.0f} s, and process {pid} has not; "
        f"try again, and see {cluster.log}.",
        folder=str(cluster.folder),
    )


def _replies(sockets: Path, request: bytes) -> bool:
    """Connect and, where there is a request, wait for one byte in reply."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(REPLY_SECONDS)
        try:
            client.connect(str(sockets / SOCKET_NAME))
            client.sendall(request)
            return not request or len(client.recv(1)) == 1
        except OSError:
            return False


def _pid_file(cluster: Cluster) -> list[str]:
    try:
        lines = (cluster.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [line.strip() for line in lines]


def _serves(pid: int, data: Path) -> bool:
    """Tell whether this process was started on this data; a zombie has no command line, and does not."""
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists() and _exists(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _processes(cluster: Cluster) -> list[int]:
    """List what still works in the data directory, as far as we are allowed to see."""
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == cluster.data:
                processes.append(int(process.name))
        except OSError:
            continue
    return sorted(processes)
