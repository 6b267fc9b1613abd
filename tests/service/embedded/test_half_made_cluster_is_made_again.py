import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from ledger.service.embedded import EmbeddedServer


def test_half_made_cluster_is_made_again(
    server: EmbeddedServer,
    folder: Path,
    client: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[[Callable[[], bool]], None],
) -> None:
    """`kill -9` of a first start and of its initdb leaves a draft that the next start throws away."""
    process = client("server.start()", folder)
    wait_until(lambda: any(folder.glob("pg*.new/PG_VERSION")))
    process.kill()
    for pid in _at_work_on(next(folder.glob("pg*.new"))):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=10)
    assert [path.suffix for path in folder.glob("pg*") if path.is_dir()] == [".new"]
    server.start()
    psycopg.connect(server.conninfo()).close()
    assert not any(folder.glob("pg*.new"))


def test_client_killed_in_its_first_start_keeps_others_waiting(
    server: EmbeddedServer,
    folder: Path,
    client: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[[Callable[[], bool]], None],
) -> None:
    """Its initdb may still write; the next start begins when that has ended."""
    process = client("server.start()", folder)
    wait_until(lambda: any(folder.glob("pg*.new/PG_VERSION")))
    process.kill()
    process.communicate(timeout=10)
    server.start()
    psycopg.connect(server.conninfo()).close()


def _at_work_on(draft: Path) -> list[int]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(draft) in command.read_bytes():
                found.append(int(command.parent.name))
        except OSError:
            continue
    return found
