import psycopg
import pytest

from ledger.application import Ledger
from ledger.asking.answers import OwnerState
from ledger.domain.epoch import EpochStart, OwnerEpoch
from ledger.owners.leases import LeaseTable
from ledger.recovery.proposal import Scope
from ledger.recovery.reconcile import Recovery
from ledger.store.connection import connect
from tests.recovery.given import outcomes, running

PAST = "UPDATE ledger.leases SET ends_at = now() - interval '1 s'"


def _states(ledger: Ledger) -> dict[tuple[str, int | None], tuple[str, int]]:
    return {(it.owner, it.epoch): (str(it.state), it.jobs) for it in ledger.owners()}


def test_a_lease_that_ran_out_is_seen_and_means_nothing(ledger: Ledger, superuser: str) -> None:
    with ledger.start_owner("engine", lease_seconds=3_600) as own:
        running(own, "a")
        assert _states(ledger) == {("engine", 1): ("live", 1)}

        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(PAST)

        assert _states(ledger) == {("engine", 1): ("lapsed", 1)}
        assert Recovery(ledger).plan().verdicts == []
        own.progress("a", 50)
        ledger.fence("engine")
        assert _states(ledger) == {("engine", 1): ("fenced", 1)}
    assert outcomes(ledger, ["a"]) == [None]


def test_heartbeats_are_no_history_and_keep_the_lease(ledger: Ledger, superuser: str) -> None:
    with ledger.start_owner("engine", lease_seconds=0.03), psycopg.connect(superuser, autocommit=True) as connection:
        position = ledger.position()
        ends = "SELECT ends_at FROM ledger.leases"
        first = connection.execute(ends).fetchall()
        while connection.execute(ends).fetchall() == first:
            pass
        assert ledger.position() == position
    assert ledger.owners() == []


def test_a_fenced_owner_stops_taking_the_lease(ledger: Ledger) -> None:
    with ledger.start_owner("engine", lease_seconds=0.03):
        ledger.fence("engine")
        while ledger.owners():  # a beat under way may have taken it once more, to run out
            if ledger.owners()[0].state is OwnerState.FENCED:
                break


def test_an_older_epoch_never_takes_the_lease_from_a_newer_one(ledger: Ledger, conninfo: str) -> None:
    table = LeaseTable(lambda: connect(conninfo))
    first, second = (
        ledger.record({"event": "owner_started", "owner": "pod", "epoch": epoch}).position for epoch in (1, 2)
    )
    table.renew(EpochStart(OwnerEpoch("pod", 2), 2, second), 60)
    table.renew(EpochStart(OwnerEpoch("pod", 1), 1, first), 3_600)
    table.release(OwnerEpoch("pod", 1), first)

    (lease,) = table.all()
    assert (lease.epoch, lease.lapsed) == (2, False)
    assert (lease.ends_at - lease.renewed_at).total_seconds() == pytest.approx(60)


def test_a_lease_of_no_time_that_can_be_is_told_all_the_same(ledger: Ledger, conninfo: str) -> None:
    """Whoever may write may write such a row, and keeps nobody from recovery by it."""
    with psycopg.connect(conninfo, autocommit=True) as writer:
        writer.execute("INSERT INTO ledger.leases VALUES ('a', 1, '4000-01-01 BC', '290000-01-01')")
        writer.execute("INSERT INTO ledger.leases VALUES ('b', 1, '-infinity', 'infinity')")
    assert [owner.owner for owner in ledger.owners()] == ["a", "b"]
    Recovery(ledger, ()).plan(Scope())
