import threading
from pathlib import Path

import psycopg

from ledger.application import Ledger
from ledger.errors import LedgerError, OutcomeUnknown
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import migrator

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def _plan(ledger: Ledger, errors: list[LedgerError]) -> None:
    try:
        ledger.plan("T", job="a")
    except LedgerError as error:
        errors.append(error)


def test_a_commit_that_no_standby_confirmed_is_unknown(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    try:
        migrator().migrate(server.conninfo())
        with psycopg.connect(server.conninfo(), autocommit=True) as admin, assemble(server.conninfo()) as ledger:
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            admin.execute("SELECT pg_reload_conf()")
            errors: list[LedgerError] = []
            caller = threading.Thread(target=_plan, args=(ledger, errors))
            caller.start()
            while not (waiting := admin.execute(WAITING).fetchall()):
                assert caller.is_alive()
            admin.execute("SELECT pg_cancel_backend(%s)", waiting[0])
            caller.join()
            admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            admin.execute("SELECT pg_reload_conf()")

            assert [type(error) for error in errors] == [OutcomeUnknown]
            assert str(ledger.plan("T", job="a").disposition) == "unchanged"
    finally:
        server.stop()
