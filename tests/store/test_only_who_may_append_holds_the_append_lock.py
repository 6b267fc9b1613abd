import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.store.controls import as_role, rows, stray

OF_OLDER_RELEASES = "SELECT pg_advisory_xact_lock(7308604896899097444)"
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def stranger(superuser: str) -> Iterator[str]:
    """The conninfo of a role that may do nothing but connect."""
    name = f"t_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
        yield make_conninfo(superuser, user=name, password="p")
        admin.execute(f"DROP ROLE {name}")


@contextmanager
def _wait_until_blocked(superuser: str, waits: Any) -> Iterator[None]:
    """What waits for a lock in a thread of its own, until it is let go after the block."""
    thread = threading.Thread(target=waits)
    thread.start()
    with psycopg.connect(superuser, autocommit=True) as admin:
        while admin.execute(BLOCKED).fetchone() != (1,):
            assert thread.is_alive()
    yield
    thread.join()


@pytest.mark.parametrize(
    "attempt",
    [
        "SELECT ledger.take_append_lock()",
        "SELECT ledger.take_seal_lock()",
        "SELECT ledger.take_follow_lock()",
        "SELECT ledger.wait_for_lock(7308604896899097444, 'ledger.take_append_lock()', 'ledger.gate')",
        "LOCK TABLE ledger.gate IN EXCLUSIVE MODE",
        "LOCK TABLE ledger.gate IN ACCESS SHARE MODE",
    ],
)
def test_who_may_only_connect_does_not_reach_the_gate(stranger: str, attempt: str) -> None:
    """The gate takes a right, by whichever way one goes to it."""
    with psycopg.connect(stranger) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(attempt)


def test_a_reader_does_not_reach_the_gate(superuser: str) -> None:
    """Who may only read holds up nobody."""
    for attempt in ("SELECT ledger.take_append_lock()", "LOCK TABLE ledger.gate IN SHARE MODE"):
        with (
            as_role(superuser, "jobledger_reader") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            connection.transaction(),
        ):
            connection.execute(attempt)


def test_a_lock_that_anybody_may_hold_holds_up_nobody(ledger: Ledger, superuser: str, stranger: str) -> None:
    """Appends and stray inserts go past somebody who holds what older releases wait for, and may not append."""
    with psycopg.connect(stranger) as connection:
        for key in (444, 446, 447):
            connection.execute(f"SELECT pg_advisory_xact_lock(7308604896899097{key})")

        assert ledger.plan("T", job="a").position == 1
        assert len(list(ledger.search("job:a").entries())) == 1
        with as_role(superuser, "jobledger_writer") as writer:
            stray(writer, "job:b")
        assert ledger.plan("T", job="c").position == 3


def test_two_releases_exclude_each_other(ledger: Ledger, superuser: str) -> None:
    """Who appends waits for an older release that does, and the other way round."""
    with as_role(superuser, "jobledger_writer") as older, older.transaction():
        older.execute(OF_OLDER_RELEASES)
        with _wait_until_blocked(superuser, lambda: ledger.plan("T", job="b")):
            stray(older, "job:a")
            older.execute("COMMIT")
    assert [entry.event.job for entry in ledger.events()] == ["a", "b"]

    with as_role(superuser, "jobledger_writer") as newer, as_role(superuser, "jobledger_writer") as older:
        newer.execute("BEGIN")
        newer.execute("SELECT ledger.take_append_lock()")
        with _wait_until_blocked(superuser, lambda: older.execute(OF_OLDER_RELEASES)):
            newer.execute("COMMIT")


def test_who_passed_the_gate_waits_for_nobody_at_it(superuser: str, stranger: str) -> None:
    """An append that went past a stranger goes on, though another came meanwhile who waits at the gate for it."""
    with (
        psycopg.connect(stranger) as strange,
        as_role(superuser, "jobledger_writer") as first,
        as_role(superuser, "jobledger_writer") as second,
    ):
        strange.execute(OF_OLDER_RELEASES)
        first.execute("BEGIN")
        first.execute("SELECT ledger.take_append_lock()")
        strange.rollback()
        with _wait_until_blocked(superuser, lambda: stray(second, "job:b")):
            stray(first, "job:a")
            first.execute("COMMIT")
        assert [row["originator_id"] for row in rows(first)] == ["job:a", "job:b"]


def test_who_waits_waits_no_longer_than_it_wants(superuser: str) -> None:
    """The time that a session gives a lock holds for the append lock, whichever of its two parts is held."""
    held = ("SELECT ledger.take_append_lock()", OF_OLDER_RELEASES)
    for take in held:
        with as_role(superuser, "jobledger_writer") as holder, as_role(superuser, "jobledger_writer") as waiter:
            holder.execute("BEGIN")
            holder.execute(take)
            waiter.execute("SET lock_timeout = '300ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                waiter.execute("SELECT ledger.take_append_lock()")
            assert waiter.execute("SHOW lock_timeout").fetchone() == {"lock_timeout": "300ms"}


@pytest.mark.parametrize(
    "work",
    [
        "VACUUM",
        "VACUUM ANALYZE ledger.stored_events",
        "ANALYZE",
        "CREATE INDEX CONCURRENTLY another ON ledger.stored_events (topic)",
    ],
)
def test_maintenance_and_appends_do_not_wait_for_each_other(superuser: str, conninfo: str, work: str) -> None:
    """While an append is under way tables are vacuumed and analysed, and while an index is built appends go on."""
    with assemble(conninfo) as ledger, as_role(superuser, "jobledger_writer") as holder:
        ledger.plan("T", job="a")
        with psycopg.connect(superuser, autocommit=True) as admin:
            if "INDEX" in work:  # it waits for who writes already, and lets others go on
                with holder.transaction():
                    stray(holder, "job:b")
                    with _wait_until_blocked(superuser, lambda: admin.execute(work)):
                        holder.execute("COMMIT")
                assert ledger.plan("T", job="c").position == 3
                return
            holder.execute("BEGIN")
            holder.execute("SELECT ledger.take_append_lock()")
            admin.execute("SET lock_timeout = '1s'")
            admin.execute(work)


def test_a_rebuild_names_who_holds_it_up_without_the_right(superuser: str, ledger: Ledger, stranger: str) -> None:
    """Somebody who may only connect keeps no rebuild waiting; two rebuilds take turns as before."""
    ledger.plan("T", job="a")
    with psycopg.connect(stranger) as held, connect(superuser) as session:
        held.execute("SELECT pg_advisory_lock(7308604896899097448)")
        with pytest.raises(psycopg.DatabaseError, match=f"process {held.info.backend_pid}"):
            rebuild.rebuild(session)
    with connect(superuser) as session:
        assert rebuild.rebuild(session) == 1
