import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.errors import AppendLockHeld, Unavailable
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator
from ledger.store import silence
from ledger.store.connection import connect
from ledger.store.migrate import Migration, Migrator
from ledger.store.statements import SQL
from projections.inline import rebuild
from tests.integrity.conftest import room_of
from tests.store.controls import as_role, look_at

WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"


@pytest.fixture
def impatient(conninfo: str) -> str:
    """A writer's conninfo that waits for locks for half a second."""
    return make_conninfo(conninfo, options=f"{WRITER} -c lock_timeout=500ms")


@pytest.fixture
def holder(conninfo: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Somebody who holds the append lock, and has a name."""
    with psycopg.connect(conninfo, application_name="somebody") as connection:
        connection.execute(SQL["take_append_lock"])
        yield connection
        with suppress(psycopg.OperationalError):  # where it was ended
            connection.rollback()


def _check(error: AppendLockHeld, holder: psycopg.Connection[tuple[object, ...]]) -> None:
    facts = error.facts
    assert (facts["holder"], facts["role"], facts["pid"]) == ("somebody", "postgres", holder.info.backend_pid)
    assert facts["waits_for"] == "Client/ClientRead"
    assert facts["since"]
    assert f"process {facts['pid']}" in str(error)


def test_an_append_that_waited_too_long_is_told_who_holds_the_lock(
    impatient: str, holder: psycopg.Connection[tuple[object, ...]]
) -> None:
    with assemble(impatient) as ledger:
        with pytest.raises(AppendLockHeld, match="held by somebody as postgres") as caught:
            ledger.plan("T", job="a")
        _check(caught.value, holder)
        assert caught.value.code == "append_lock_held"

        holder.rollback()
        assert ledger.plan("T", job="a").position == 1


def test_callers_that_come_meanwhile_are_told_together_with_those_who_wait(
    conninfo: str, superuser: str, holder: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Else the last of many callers of one process would wait for the bound of each before it."""
    patient = make_conninfo(conninfo, options=f"{WRITER} -c lock_timeout=3s")
    told: list[Exception] = []

    def plan(ledger: Ledger, job: str) -> None:
        try:
            ledger.plan("T", job=job)
        except AppendLockHeld as error:
            told.append(error)

    with assemble(patient) as ledger, psycopg.connect(superuser, autocommit=True) as admin:
        callers = [threading.Thread(target=plan, args=(ledger, f"j{n}")) for n in range(9)]
        callers[0].start()
        while admin.execute(WAITS).fetchall() != [(1,)]:
            pass
        for caller in callers[1:]:
            caller.start()
        while len(ledger._recorder._committer._waiting) < 8:
            assert callers[0].is_alive()
        for caller in callers:
            caller.join()
        assert len(told) == 9
        assert {id(error) for error in told} == {id(told[0])}  # one wait, one answer
        holder.rollback()
        assert ledger.plan("T", job="a").position == 1


def test_a_swap_of_views_that_waited_too_long_is_told(
    superuser: str, holder: psycopg.Connection[tuple[object, ...]]
) -> None:
    with connect(make_conninfo(superuser, options="-c lock_timeout=300ms")) as session:
        with pytest.raises(AppendLockHeld) as caught:
            rebuild.rebuild(session)
        _check(caught.value, holder)


def test_a_migration_that_waited_too_long_is_told(
    superuser: str, holder: psycopg.Connection[tuple[object, ...]]
) -> None:
    """And nothing is waited for where nothing is pending."""
    impatient = make_conninfo(superuser, options="-c lock_timeout=300ms")
    assert migrator().migrate(impatient) == []
    coming = Migrator([*migrator().migrations, Migration("ledger", 9_999, "nothing", "SELECT 1")])
    with pytest.raises(AppendLockHeld) as caught:
        coming.migrate(impatient)
    _check(caught.value, holder)


def test_the_command_says_it_and_exits_with_69(impatient: str, holder: psycopg.Connection[tuple[object, ...]]) -> None:
    program = "from ledger.service.cli import main; main()"
    done = subprocess.run(
        (sys.executable, "-c", program, "record", '{"job":"a","event":"planned","type":"T"}'),
        env={**os.environ, "JOBLEDGER_DSN": impatient},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 69
    assert f"held by somebody as postgres, process {holder.info.backend_pid}" in done.stderr


def _hurry(monkeypatch: pytest.MonkeyPatch, tell: float, end: float) -> None:
    monkeypatch.setattr(silence, "LOOK_AFTER_SECONDS", 0.2)
    monkeypatch.setattr(silence, "TELL_AFTER_SECONDS", tell)
    monkeypatch.setattr(silence, "END_AFTER_SECONDS", end)


@pytest.mark.parametrize("door", ["append", "swap", "migrate", "library's insert"])
def test_whoever_waits_for_the_lock_is_told_and_ends_a_frozen_holder(
    *,
    door: str,
    superuser: str,
    ledger: Ledger,
    holder: psycopg.Connection[tuple[object, ...]],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First a word in the log, then the end of a process that stands still; and then the one who waited goes on."""
    _hurry(monkeypatch, 0.2, 0.6)
    with psycopg.connect(superuser, autocommit=True) as admin:
        definition = admin.execute("SELECT pg_get_functiondef('ledger.end_frozen'::regproc)").fetchall()[0][0]
        admin.execute(str(definition).replace("interval '10 seconds'", "interval '0 seconds'"))
    if door == "append":
        assert ledger.plan("T", job="a").position == 1
    elif door == "swap":
        with connect(superuser) as session:
            assert rebuild.rebuild(session) == 0
    elif door == "migrate":
        coming = Migrator([*migrator().migrations, Migration("ledger", 9_999, "nothing", "SELECT 1")])
        assert len(coming.migrate(superuser)) == 1
    else:
        said = b'{"id":"stray","at":"2026-01-02T03:04:05Z","type":"Stray","root":"a"}'
        assert ledger._recorder.insert_events([StoredEvent("job:a", 1, "job.planned.v1", said)]) == [1]
    holder_words = f"held by somebody as postgres, process {holder.info.backend_pid} of the database"
    told = [record.getMessage() for record in caplog.records if record.name == "ledger"]
    assert told[0].startswith("An append has waited for")
    assert holder_words in told[0]
    assert holder_words in told[1]
    assert told[1].endswith("it is ended, since its client stands still.")
    assert all(record.levelno == logging.WARNING for record in caplog.records if record.name == "ledger")
    with pytest.raises(psycopg.OperationalError):
        holder.execute("SELECT 1")
    holder.close()


def test_doctor_names_who_holds_the_lock_for_long(
    superuser: str, holder: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with as_role(superuser, "jobledger_writer") as connection:
        found = {finding.code: finding for finding in look_at(connection)}["append_lock"]
        assert found.level == "ok"
        monkeypatch.setattr("ledger.store.doctor.HELD_SECONDS_MAX", 0.0)
        found = {finding.code: finding for finding in look_at(connection)}["append_lock"]
        assert found.level == "warning"
        assert f"held by somebody as postgres, process {holder.info.backend_pid}" in found.sentence


def test_doctor_says_where_it_is_not_shown_who_holds_the_lock(superuser: str) -> None:
    """To who may only read; nothing else that doctor looks at is lost by it."""
    with as_role(superuser, "jobledger_reader") as connection:
        found = {finding.code: finding for finding in look_at(connection)}
        assert (found["append_lock"].level, found["notifications"].level) == ("ok", "ok")
        assert "is not shown" in found["append_lock"].sentence


def test_who_waits_for_another_lock_is_told_who_holds_that(
    superuser: str, conninfo: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as a row of the views that somebody else has changed, and not let go."""
    _hurry(monkeypatch, 0.2, 9.0)
    with (
        assemble(make_conninfo(conninfo, options=f"{WRITER} -c lock_timeout=1500ms")) as ledger,
        psycopg.connect(superuser, application_name="somebody") as other,
    ):
        ledger.plan("T", job="a")
        other.execute("UPDATE projections.tracking SET version = version")
        with pytest.raises(Unavailable, match=rf"held by somebody as postgres, process {other.info.backend_pid} of"):
            ledger.plan("T", job="b")
        other.rollback()
        other.execute("LOCK TABLE projections.job_status")
        with pytest.raises(Unavailable, match=r"a lock on projections\.job_status, held by somebody as postgres"):
            ledger.plan("T", job="b")
        other.rollback()
        assert ledger.plan("T", job="b").position == 2
    told = [record.getMessage() for record in caplog.records if record.name == "ledger"]
    assert [message.startswith("A statement has waited for") for message in told] == [True, True]


@pytest.fixture(scope="module")
def preparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The conninfo of a superuser, of a ledger on a server that takes prepared transactions."""
    server = EmbeddedServer(tmp_path_factory.mktemp("preparing"))
    server.start()
    try:
        with psycopg.connect(server.conninfo(), autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
        server.stop()
        server.start()
        migrator().migrate(server.conninfo())
        yield server.conninfo()
    finally:
        server.stop()


def test_a_prepared_transaction_that_holds_the_lock_is_named(
    preparing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no process, and outlives its server's restarts: whoever waits must hear how it is called."""
    _hurry(monkeypatch, 0.2, 0.6)
    with psycopg.connect(preparing, autocommit=True) as admin:
        admin.execute("BEGIN")
        admin.execute(SQL["take_append_lock"])
        admin.execute("PREPARE TRANSACTION 'forgotten'")
        with assemble(make_conninfo(preparing, options=f"{WRITER} -c lock_timeout=2s")) as ledger:
            with pytest.raises(AppendLockHeld, match="held by prepared transaction forgotten as postgres") as caught:
                ledger.plan("T", job="a")
            assert (caught.value.facts["pid"], caught.value.facts["role"]) == (None, "postgres")
            admin.execute("ROLLBACK PREPARED 'forgotten'")
            assert ledger.plan("T", job="a").position == 1
    told = [record.getMessage() for record in caplog.records if record.name == "ledger"]
    assert any("must commit it or roll it back" in message for message in told)


KEYS = {"append": 7308604896899097444, "seal": 7308604896899097446, "follow": 7308604896899097447}


def test_what_nobody_with_a_right_has_prepared_is_passed_by(preparing: str, tmp_path: Path) -> None:
    """Whoever may connect may hold an advisory lock in a prepared transaction, over restarts."""
    with psycopg.connect(preparing, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS nobody; CREATE ROLE nobody LOGIN")
        with psycopg.connect(make_conninfo(preparing, user="nobody"), autocommit=True) as nobody:
            for name, key in {**KEYS, "rebuild": 7308604896899097448}.items():
                nobody.execute("BEGIN")
                nobody.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
                nobody.execute(f"PREPARE TRANSACTION '{name}'")
        try:
            with assemble(preparing) as ledger:
                position = ledger.plan("T").position
                assert len(ledger.search().page().entries) == position
            assert Sealer(room_of(preparing), KeyFile(tmp_path / "key")).seal().signed.size == position
            with connect(preparing) as session, pytest.raises(psycopg.Error, match="prepared transaction rebuild"):
                rebuild.rebuild(session)
        finally:
            for (name,) in admin.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
                admin.execute(f"ROLLBACK PREPARED '{name}'")
            admin.execute("DROP ROLE nobody")


@pytest.mark.parametrize("lock", ["seal", "follow", "rebuild"])
def test_one_that_stands_still_while_it_is_sent_something_is_ended(
    *, lock: str, superuser: str, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bound of the server ends that; whoever waits for the lock does."""
    _hurry(monkeypatch, 0.2, 0.6)
    ledger.plan("T", job="a")
    with psycopg.connect(superuser, autocommit=True) as admin:
        definition = admin.execute("SELECT pg_get_functiondef('ledger.end_frozen'::regproc)").fetchall()[0][0]
        admin.execute(str(definition).replace("interval '10 seconds'", "interval '0 seconds'"))
        with psycopg.connect(superuser, autocommit=True) as still, suppress(psycopg.OperationalError):
            still.execute("BEGIN")
            still.execute(f"SELECT ledger.take_{lock}_lock()")
            still.pgconn.send_query(b"SELECT repeat('x', 1000000) FROM generate_series(1, 100)")  # and reads none of it
            while not admin.execute(
                "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event = 'ClientWrite'", (still.info.backend_pid,)
            ).fetchall():
                pass
            if lock == "seal":
                assert Sealer(room_of(superuser), KeyFile(tmp_path / "key")).seal().signed.size == 1
            elif lock == "follow":
                assert len(ledger.search().page().entries) == 1
            else:
                with connect(superuser) as session:
                    assert rebuild.rebuild(session) == 1
            still.close()
