import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from ledger.domain.receipt import Receipt
from ledger.errors import Unavailable
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator
from ledger.store.connection import connect
from projections.inline import rebuild

WRITERS = 8
BEFORE_THE_KILL = 200


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that may be killed."""
    server = EmbeddedServer(tmp_path)
    server.start()
    migrator().migrate(server.conninfo())
    yield server
    server.stop()


def _write(conninfo: str, writer: int, acknowledged: list[Receipt], enough: threading.Semaphore) -> None:
    """Plan and end jobs until the database is gone; what was answered is noted."""
    with assemble(conninfo) as ledger, suppress(Unavailable):
        for n in count():
            job, vm = f"{writer}/{n}", {"type": "vm", "id": f"v{writer}"}
            acknowledged.append(ledger.plan("T", job=job, entities=[vm]))
            enough.release()
            acknowledged.append(ledger.succeed(job))


def test_what_was_acknowledged_survives_a_killed_postmaster(own_server: EmbeddedServer) -> None:
    conninfo = make_conninfo(own_server.conninfo(), options=WRITER)
    acknowledged: list[list[Receipt]] = [[] for _ in range(WRITERS)]
    enough = threading.Semaphore(0)
    with ThreadPoolExecutor(WRITERS) as pool:
        work = [pool.submit(_write, conninfo, n, acknowledged[n], enough) for n in range(WRITERS)]
        for _ in range(BEFORE_THE_KILL):
            enough.acquire()
        pid = own_server.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        for future in work:
            future.result()
    own_server.start()

    with assemble(conninfo) as ledger:
        kept = {(entry.event.job, entry.event.version): entry.position for entry in ledger.events()}
        assert sorted(kept.values()) == list(range(1, len(kept) + 1))
        receipts = [receipt for told in acknowledged for receipt in told]
        assert len(receipts) >= BEFORE_THE_KILL
        assert [it for it in receipts if kept.get((it.job, it.version)) != it.position] == []
        assert len(kept) <= len(receipts) + WRITERS
    with connect(own_server.conninfo()) as connection:
        assert not any(rebuild.compare(connection).values())
