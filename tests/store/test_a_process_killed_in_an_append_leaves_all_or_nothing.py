import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.store.connection import connect
from ledger.store.statements import SQL
from projections.inline import rebuild

APPEND = "import sys; from ledger.service.assembly import assemble; assemble(sys.argv[1]).plan('T', job='killed')"
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def _sleeps(process: "subprocess.Popen[bytes]") -> bool:
    """Whether a process waits for something, and so has sent what it was sending; see proc_pid_stat(5)."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].startswith("S")


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        pytest.param(SQL["take_append_lock"], [], id="before it knows what to write"),
        # It does not wait for an answer before it asks for the commit, so the server has all of it.
        pytest.param("LOCK projections.job_status IN SHARE MODE", ["killed"], id="once it has written"),
    ],
)
def test_a_process_killed_in_an_append_leaves_all_or_nothing(
    superuser: str, conninfo: str, ledger: Ledger, keep: str, left: list[str]
) -> None:
    ledger.plan("T", job="before")
    with psycopg.connect(superuser) as keeper, psycopg.connect(superuser, autocommit=True) as look:
        keeper.execute(keep)
        process = subprocess.Popen((sys.executable, "-c", APPEND, conninfo))
        while not (look.execute(WAITING).fetchall() and _sleeps(process)):
            assert process.poll() is None
        process.kill()
        process.wait()

    assert ledger.plan("T", job="after").position == 2 + len(left)
    assert [entry.event.job for entry in ledger.events()] == ["before", *left, "after"]
    with connect(superuser) as session:
        assert set(rebuild.compare(session).values()) == {0}
