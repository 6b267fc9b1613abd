import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.recovery.proposal import Scope
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator
from ledger.store.statements import SQL
from tests.store.controls import as_role, rows

HOLDER = "SELECT * FROM ledger.append_holder()"
END = "SELECT ledger.end_frozen_append()"
FUNCTIONS = ("lock_holders(bigint)", "lock_holder(bigint)", "end_frozen(bigint)", "end_frozen_append()")
# The writer decides one transition, says so, and decides the next when it is told to: so it is stopped in an append.
FROZEN = """
import sys
from ledger.clock import new_id
from ledger.domain.commands import parse_transition
from ledger.appending.judge import judge_now
from ledger.service.assembly import assemble
with assemble(sys.argv[1]) as ledger:
    ledger.plan("T", job="before")
    asked = [0]
    def judge(said, workspace):
        asked[0] += 1
        if asked[0] == 2:
            print("in the append", flush=True)
            sys.stdin.readline()
        return judge_now(said, workspace)
    plans = [{"job": f"frozen-{n}", "event": "planned", "type": "T", "id": f"f{n}"} for n in range(2)]
    batch = [parse_transition(plan, new_id) for plan in plans]
    print([receipt.position for receipt in ledger._recorder.append(batch, judge)], flush=True)
    print(ledger.plan("T", job="after").position, flush=True)
"""


@contextmanager
def _frozen(conninfo: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that is stopped in an append, under the lock."""
    words = (sys.executable, "-c", FROZEN, conninfo)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "in the append\n"
            os.kill(process.pid, signal.SIGSTOP)
            yield process
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)
                process.kill()


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(superuser, autocommit=True) as connection:
        yield connection


def _end_at_once(admin: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let the function end what has stood still for no time at all, so that no test has to wait."""
    definition = admin.execute("SELECT pg_get_functiondef('ledger.end_frozen'::regproc)").fetchall()[0][0]
    admin.execute(str(definition).replace("interval '10 seconds'", "interval '0 seconds'"))


def test_recovery_goes_on_beside_a_frozen_append(conninfo: str, ledger: Ledger) -> None:
    """The owner that froze is fenced, and what it left behind is found out."""
    ledger.start_owner("engine").plan("T", job="left")
    quick = make_conninfo(conninfo, options=f"{WRITER} -c idle_in_transaction_session_timeout=500ms")
    with _frozen(quick):
        plan = Recovery(ledger, ()).apply(Scope(fence=("engine",)))
    assert plan.errors == {}
    assert ledger.job("left").outcome == "abandoned"


def test_the_server_ends_a_frozen_append_and_the_next_goes_on(
    conninfo: str, ledger: Ledger, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Without any right; awake again, the frozen process is answered truly, and each of its events is there once."""
    quick = make_conninfo(conninfo, options=f"{WRITER} -c idle_in_transaction_session_timeout=500ms")
    with _frozen(quick) as process:
        assert ledger.plan("T", job="second").position == 2

        os.kill(process.pid, signal.SIGCONT)
        told, _ = process.communicate("\n", timeout=60)
        assert told.splitlines() == ["[3, 4]", "5"]
        assert [row["originator_id"] for row in rows(admin)] == [
            f"job:{name}" for name in ("before", "second", "frozen-0", "frozen-1", "after")
        ]


def test_a_process_that_decides_is_seen_to_be_waited_for(
    conninfo: str, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Whenever it is for the process to act, its transaction is idle for the server, by which alone it can be ended."""
    with _frozen(conninfo):
        while not (found := admin.execute(HOLDER).fetchall()):
            pass
        while (found := admin.execute(HOLDER).fetchall())[0][4] != "idle in transaction":
            assert found
        assert found[0][5] == "Client/ClientRead"


def test_one_that_stands_still_in_the_midst_of_a_message_is_ended_by_who_waits(
    conninfo: str, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    """It is active for the server, which waits for its client: no time limit of PostgreSQL ends that."""
    _end_at_once(admin)
    holder = psycopg.connect(conninfo, autocommit=True)
    with suppress(psycopg.OperationalError), holder, holder.pipeline():
        holder.execute("BEGIN")
        holder.execute(SQL["take_append_lock"]).fetchall()  # flushed, with no Sync
        while not (found := admin.execute(HOLDER).fetchall()) or found[0][5] != "Client/ClientRead":
            pass
        assert found[0][4] == "active"
        with as_role(conninfo, "jobledger_writer") as waiter:
            assert waiter.execute(END).fetchall() == [{"end_frozen_append": "ended"}]
        while admin.execute(HOLDER).fetchall():
            pass
        holder.execute("SELECT 1").fetchall()
    assert holder.closed


def test_one_that_began_to_wait_a_moment_ago_is_not_ended(
    conninfo: str, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    with psycopg.connect(conninfo) as holder:
        holder.execute(SQL["take_append_lock"])
        assert admin.execute(END).fetchall() == [("at work",)]
        holder.execute("SELECT 1")


def test_one_at_work_is_not_ended(conninfo: str, admin: psycopg.Connection[tuple[object, ...]]) -> None:
    _end_at_once(admin)
    with psycopg.connect(conninfo) as holder, psycopg.connect(conninfo, autocommit=True) as other:
        holder.execute(SQL["take_append_lock"])
        other.execute("SELECT pg_advisory_lock(1)")
        worker = threading.Thread(target=holder.execute, args=("SELECT pg_advisory_xact_lock(1)",))
        worker.start()
        while (found := admin.execute(HOLDER).fetchall())[0][5] != "Lock/advisory":
            assert found
        assert admin.execute(END).fetchall() == [("at work",)]
        other.execute("SELECT pg_advisory_unlock(1)")
        worker.join()


def test_one_that_waits_for_a_standby_is_not_ended(tmp_path: Path) -> None:
    """Its append may be lost in a failover, and is nobody's to give up but an administrator's."""
    server = EmbeddedServer(tmp_path)
    server.start()
    try:
        migrator().migrate(server.conninfo())
        with psycopg.connect(server.conninfo(), autocommit=True) as admin, assemble(server.conninfo()) as ledger:
            _end_at_once(admin)
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            admin.execute("SELECT pg_reload_conf()")
            caller = threading.Thread(target=ledger.plan, args=("T",), kwargs={"job": "a"})
            caller.start()
            while not (found := admin.execute(HOLDER).fetchall()) or found[0][5] != "IPC/SyncRep":
                assert caller.is_alive()
            assert admin.execute(END).fetchall() == [("at work",)]
            admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            admin.execute("SELECT pg_reload_conf()")
            caller.join()
            assert ledger.position() == 1
    finally:
        server.stop()


def test_nothing_but_the_holder_is_ended(conninfo: str, admin: psycopg.Connection[tuple[object, ...]]) -> None:
    """Others may stand still in transactions of theirs, and wait for the lock: they hold up nobody."""
    _end_at_once(admin)
    with psycopg.connect(conninfo) as other:
        other.execute("SELECT 1")
        assert admin.execute(END).fetchall() == [("free",)]
        other.execute("SELECT 1")


@pytest.mark.parametrize("role", ["jobledger_reader", "jobledger_projector"])
def test_who_may_not_append_ends_nothing(superuser: str, role: str) -> None:
    with as_role(superuser, role) as connection:
        for question in (END, HOLDER):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(question)


def test_a_function_whose_owner_may_not_signal_says_so(
    conninfo: str, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    """As on a managed server, where nobody is a superuser: nothing worse happens than the wait."""
    _end_at_once(admin)
    name = f"owner_{os.getpid()}"
    admin.execute(f"CREATE ROLE {name}; GRANT ALL ON SCHEMA ledger TO {name}")
    try:
        for function in FUNCTIONS:
            admin.execute(f"ALTER FUNCTION ledger.{function} OWNER TO {name}")
        with psycopg.connect(conninfo) as holder:
            holder.execute(SQL["take_append_lock"])
            assert admin.execute(END).fetchall() == [("not shown",)]
            admin.execute(f"GRANT pg_read_all_stats TO {name}")
            assert admin.execute(END).fetchall() == [("not allowed",)]
            holder.execute("SELECT 1")
    finally:
        for function in FUNCTIONS:
            admin.execute(f"ALTER FUNCTION ledger.{function} OWNER TO postgres")
        admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
