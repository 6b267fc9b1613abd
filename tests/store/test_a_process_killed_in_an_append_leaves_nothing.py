import subprocess
import sys

import psycopg

from ledger.application import Ledger

APPEND = "import sys; from ledger.service.assembly import assemble; assemble(sys.argv[1]).plan('T', job='killed')"


def _waits_in_an_append(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    rows = connection.execute(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND wait_event_type = 'Lock' AND query LIKE '%%job_status%%'"
    )
    return bool(rows.fetchall())


def test_a_process_killed_in_an_append_leaves_nothing(superuser: str, conninfo: str, ledger: Ledger) -> None:
    ledger.plan("T", job="before")
    with psycopg.connect(superuser) as keeper, psycopg.connect(superuser, autocommit=True) as look:
        # Keeps the append after its INSERT of events, where it writes the first view.
        keeper.execute("LOCK TABLE projections.job_status IN SHARE MODE")
        process = subprocess.Popen((sys.executable, "-c", APPEND, conninfo))
        while not _waits_in_an_append(look):
            assert process.poll() is None
        process.kill()
        process.wait()

    assert ledger.plan("T", job="after").position == 2
    assert [entry.event.job for entry in ledger.events()] == ["before", "after"]
