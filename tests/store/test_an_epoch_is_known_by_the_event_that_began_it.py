"""A number comes again where a ledger goes back: who began it before is not who began it since."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger import clock
from ledger.application import Ledger
from ledger.domain.commands import parse_transition
from ledger.errors import PositionAhead, StaleEpoch
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble
from ledger.service.readiness import WRITER
from tests.store.regrown import GrowOn, backup, six_plans

DISK = {"type": "disk", "id": "d", "access": "exclusive"}
BEATEN = (
    "SELECT FROM pg_stat_activity WHERE query LIKE '%%INTO ledger.leases%%' AND query_start > %s AND state = 'idle'"
)


@contextmanager
def _two(server: str, superuser: str, grow_on: GrowOn) -> Iterator[tuple[Ledger, Ledger, Ledger]]:
    """A process, the ledger as which it speaks, in an epoch that is lost, and another process that came since."""
    conninfo = make_conninfo(superuser, options=WRITER)
    with assemble(conninfo) as ledger:
        ledger.plan("T", job="base")
        with backup(server, superuser) as restore:
            own = ledger.start_owner("eng", lease_seconds=0.03)
            own.plan("T", job="x", entities=[DISK])
            restore(grow_on)
            with assemble(conninfo) as other:
                yield ledger, own, other
            own.close()


COMMANDS: dict[str, Callable[[Ledger], Any]] = {
    "a plan": lambda own: own.plan("T", job="another"),
    "a plan that is on record": lambda own: own.plan("T", job="y"),
    "an end": lambda own: own.succeed("y"),
    "progress": lambda own: own.progress("y", 50),
    "cancelling": lambda own: own.cancel("y"),
    "a hold": lambda own: own.hold("y"),
    "its own name said with it": lambda own: own.progress("y", 50, owner="eng", epoch=1),
    "a claim": lambda own: own.submit("y", "agent", "token"),
    "a dispatch": lambda own: own.dispatch("y", pytest.fail, executor="agent"),
}


def test_two_processes_never_speak_in_one_epoch(server: str, superuser: str) -> None:
    """Neither before the loss is accepted, nor after; whoever lost the epoch begins another."""
    with _two(server, superuser, lambda other: None) as (ledger, own, other), other.start_owner("eng") as theirs:
        theirs.plan("T", job="y", entities=[DISK])
        assert (own.owner, own.owner) == (theirs.owner, ("eng", 1))
        with pytest.raises(PositionAhead):
            own.plan("T", job="another")
        own.accept_loss()
        before = ledger.position()
        for name, say in COMMANDS.items():
            with pytest.raises(StaleEpoch, match=r"must have begun with the event .* Start the owner anew") as caught:
                say(own)
            assert caught.value.facts == {"owner": "eng", "epoch": 1, "newest": 1}, name
        said = parse_transition({"job": "y", "event": "progressed", "done": 7}, clock.new_id)
        (error,) = own.record_each([said])
        assert isinstance(error, StaleEpoch)
        assert ledger.position() == before
        assert theirs.succeed("y").version == 2
        with ledger.start_owner("eng") as anew:
            assert anew.owner == ("eng", 2)
            anew.plan("T", job="another")


def test_an_epoch_whose_start_is_gone_is_not_begun(server: str, superuser: str) -> None:
    """By whomever; it may be begun again."""
    with _two(server, superuser, six_plans) as (ledger, own, _):
        ledger.accept_loss()
        with pytest.raises(StaleEpoch):
            own.progress("new0", 50)
        with own.start_owner("eng") as anew:
            assert anew.owner == ("eng", 1)
            anew.progress("new0", 50)


def test_an_epoch_whose_start_is_on_record_goes_on(server: str, superuser: str, conninfo: str) -> None:
    with assemble(conninfo) as ledger, ledger.start_owner("eng") as own, backup(server, superuser) as restore:
        own.plan("T", job="x")
        restore(six_plans)
        own.accept_loss()
        own.plan("T", job="x")
        with assemble(conninfo) as other:
            speaker = Recovery(other, as_owner="eng")._begin_speaker()
            assert (speaker.owner, speaker.plan("T", job="z").version) == (("eng", 1), 1)
            assert [(view.owner, view.epoch, str(view.state)) for view in other.owners()] == [("eng", 1, "live")]
        own.close()
        assert [str(view.state) for view in ledger.owners()] == ["unleased"]


def test_a_heartbeat_of_a_lost_epoch_touches_no_lease(server: str, superuser: str) -> None:
    """It neither shortens the lease of who began the same number since, nor drops it at the end."""
    with _two(server, superuser, six_plans) as (_, own, other), other.start_owner("eng", lease_seconds=3_600):
        (lease,) = other.owners()
        with psycopg.connect(superuser, autocommit=True) as admin:
            ((begun,),) = admin.execute("SELECT clock_timestamp()").fetchall()
            _until_beaten(admin, begun)
        assert other.owners() == [lease]
        own.close()
        assert other.owners() == [lease]
        fence = other.fence("eng")
        assert (fence.version, other.owners()) == (2, [])


def _until_beaten(admin: psycopg.Connection[Any], begun: datetime) -> None:
    while not admin.execute(BEATEN, (begun,)).fetchall():
        pass
