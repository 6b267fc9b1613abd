from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import ViewBehind
from ledger.store.connection import connect
from ledger.store.statements import SQL as STORE_SQL
from projections.followed import follower
from tests.projections.followed import Later, Noted, make, noted
from tests.store.controls import as_role


@pytest.fixture(autouse=True)
def two_jobs(ledger: Ledger, superuser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "PAGE_EVENTS_MAX", 3)
    make(superuser)
    for job in ("a", "b"):
        ledger.plan("T", job=job)
        ledger.start(job)


STARTED_TWICE = [(1, "planned"), (2, "started"), (3, "planned"), (4, "started")]


def test_an_append_does_not_touch_it(ledger: Ledger, superuser: str) -> None:
    """It is behind until somebody follows, and no append minds how far."""
    assert noted(superuser) == []
    ledger.succeed("a")
    assert noted(superuser) == []


def test_the_writer_follows_to_the_end(conninfo: str, superuser: str) -> None:
    """Page by page, and again without effect."""
    told: list[tuple[int, int]] = []
    with connect(conninfo) as session:
        assert follower.follow(session, lambda *said: told.append(said), [Noted()]) == 4
        assert follower.follow(session, projections=[Noted()]) == 4
        assert follower.reached(session, [Noted()]) == [{"view": "noted", "version": 1, "position": 4, "lag": 0}]
    assert told == [(3, 4), (4, 4)]
    assert noted(superuser) == STARTED_TWICE


def test_a_view_that_came_later_catches_up_with_the_others(
    conninfo: str, superuser: str, admin: psycopg.Connection[Any]
) -> None:
    """Each event is taken in once by each view, wherever they stand."""
    admin.execute("CREATE TABLE history.later (position bigint PRIMARY KEY)")
    admin.execute(STORE_SQL["grant_privileges"])
    with connect(conninfo) as session:
        assert follower.follow(session, projections=[Noted()]) == 4
        assert follower.reached(session, [Noted(), Later()])[1]["lag"] == 4
        assert follower.follow(session, projections=[Noted(), Later()]) == 4
    later = admin.execute("SELECT position FROM history.later ORDER BY 1").fetchall()
    assert [row["position"] for row in later] == [1, 2, 3, 4]
    assert noted(superuser) == STARTED_TWICE


def test_who_may_only_read_leaves_it_as_it_is(superuser: str) -> None:
    """The writer may follow; the reader is not refused, and changes nothing."""
    for role, may in (("jobledger_reader", False), ("jobledger_writer", True)):
        with as_role(superuser, role) as session:
            assert follower.may_follow(session) is may
    follower.ViewFollower(lambda: as_role(superuser, "jobledger_reader"), [Noted()]).catch_up()
    assert noted(superuser) == []
    follower.ViewFollower(lambda: as_role(superuser, "jobledger_writer"), [Noted()]).catch_up()
    assert noted(superuser) == STARTED_TWICE


def test_a_view_of_another_version_is_not_mixed(conninfo: str) -> None:
    """Rows of an older release stay as they are, and the error names the remedy."""

    class Newer(Noted):
        version = 2

    with connect(conninfo) as session:
        follower.follow(session, projections=[Noted()])
        with pytest.raises(ViewBehind, match="projections rebuild noted"):
            follower.follow(session, projections=[Newer()])


def test_it_is_emptied_and_followed_anew(conninfo: str, superuser: str, admin: psycopg.Connection[Any]) -> None:
    """Emptying is for the projector; whoever asks next fills it with the same rows."""
    with connect(conninfo) as session:
        follower.follow(session, projections=[Noted()])
        admin.execute("UPDATE history.noted SET event = 'burned'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            follower.empty(session, [Noted()])
        follower.empty(admin, [Noted()])
        assert noted(superuser) == []
        assert follower.follow(session, projections=[Noted()]) == 4
    assert noted(superuser) == STARTED_TWICE
