from hashlib import sha256
from typing import Any

import psycopg

from ledger.application import Ledger
from ledger.domain.entities import ENTITIES_MAX
from projections.inline import rebuild

WRITTEN_BYTES_MAX = 8_000  # the entities alone are ten times that


def test_what_a_job_touches_is_written_only_when_it_changes(ledger: Ledger, admin: psycopg.Connection[Any]) -> None:
    """Progress of a job on a thousand entities costs the log of the database no more than that of another."""
    disks = [{"type": "disk", "id": sha256(b"%d" % number).hexdigest()} for number in range(ENTITIES_MAX)]
    ledger.plan("Migrate", job="large", entities=disks)
    ledger.start("large")

    def written(percent: int) -> int:
        before = admin.execute("SELECT pg_current_wal_insert_lsn() AS at").fetchall()[0]["at"]
        ledger.progress("large", percent)
        after = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)::int AS bytes"
        return int(admin.execute(after, (before,)).fetchall()[0]["bytes"])

    # The log is that of the server, to which others may write meanwhile, but hardly each of thirty times.
    assert min(written(percent) for percent in range(30)) < WRITTEN_BYTES_MAX

    ledger.record({"job": "large", "event": "detached", "entities": disks[:1]})
    ledger.succeed("large")
    assert {entity["id"] for entity in ledger.job("large").entities} == {disk["id"] for disk in disks[1:]}
    assert set(rebuild.compare(admin).values()) == {0}
