"""A process decides by what it was told and what it read, and not only by what it recorded itself."""

from collections.abc import Callable
from itertools import islice

import pytest

from ledger.application import Ledger
from ledger.errors import PositionAhead
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.store.controls import rows

DISK = {"type": "disk", "id": "a"}
GONE = """
ALTER TABLE ledger.stored_events DISABLE TRIGGER USER;
DELETE FROM ledger.stored_events WHERE notification_id > 1;
ALTER TABLE ledger.stored_events ENABLE TRIGGER USER;
"""


def _go_back(superuser: str, conninfo: str) -> None:
    """Restore a backup over the database, in place, so that no connection is cut; then others go on."""
    with connect(superuser) as admin:
        admin.execute(GONE)
        rebuild.rebuild(admin)
    with assemble(conninfo) as other:
        other.plan("T", job="q", entities=[{"type": "disk", "id": "b"}])
        other.suspend("q")
        for place in range(3):
            other.plan("T", job=f"new-{place}")


@pytest.mark.parametrize(
    "hear",
    [
        lambda ledger: ledger.start("q"),
        lambda ledger: ledger.plan("T", job="q", entities=[DISK]),
        lambda ledger: [*islice(ledger.watch(0), 3)],
        lambda ledger: ledger.position(),
    ],
    ids=["a report said again", "a plan said again", "a watch", "a position"],
)
def test_whoever_only_heard_is_as_far_as_who_recorded(
    superuser: str, conninfo: str, hear: Callable[[Ledger], object]
) -> None:
    with assemble(conninfo) as idle, assemble(conninfo) as busy:
        idle.plan("T", job="base")
        busy.plan("T", job="q", entities=[DISK])
        busy.start("q")
        hear(idle)
        _go_back(superuser, conninfo)

        for ledger, job in ((idle, "q"), (idle, "base"), (busy, "q")):
            with pytest.raises(PositionAhead, match="at position 3, which is known here"):
                ledger.succeed(job)
    with connect(superuser) as admin:
        assert len(rows(admin)) == 6
        assert set(rebuild.compare(admin).values()) == {0}
