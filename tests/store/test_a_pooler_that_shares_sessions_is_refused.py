"""Behind PgBouncer: a session for each client serves, another for each transaction is refused in one sentence."""

from pathlib import Path
from threading import Thread

import pytest

from ledger.errors import TransactionPooler, Unavailable
from ledger.service.assembly import diagnose, open_ledger
from ledger.service.readiness import bring_up
from ledger.service.settings import Database
from ledger.store import pooler
from ledger.store.connection import connect
from tests.store.bouncer import bouncer, needs_pgbouncer


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("size", [1, 4])
def test_one_that_shares_sessions_is_refused(behind: str, tmp_path: Path, mode: str, size: int) -> None:
    """At a long-lived open, by migrate and by doctor, with the remedy."""
    with bouncer(behind, tmp_path, mode, size) as conninfo:
        with pytest.raises(Unavailable, match="pool_mode = session") as raised:
            open_ledger(conninfo)
        assert raised.value.code == "transaction_pooler"
        with pytest.raises(TransactionPooler, match="pool_mode = session"):
            bring_up(conninfo)
        found = diagnose(Database(conninfo, None))
        assert [each.level for each in found if each.code == "pooler"] == ["error"]


@needs_pgbouncer
def test_one_that_keeps_a_session_a_client_serves(behind: str, tmp_path: Path) -> None:
    with bouncer(behind, tmp_path, "session") as conninfo:
        with open_ledger(conninfo) as ledger:
            threads = [Thread(target=ledger.plan, args=("T",), kwargs={"job": f"j{n}"}) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert ledger.position() == 8
        assert [each.level for each in diagnose(Database(conninfo, None)) if each.code == "pooler"] == ["ok"]


def test_without_a_pooler_no_second_connection_is_made(superuser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_conninfo: str) -> None:
        raise AssertionError

    monkeypatch.setattr(pooler, "connect", fail)
    with connect(superuser) as connection:
        pooler.refuse_transaction_pooler(connection)


def test_connections_of_their_own_share_nothing(superuser: str) -> None:
    with connect(superuser) as connection:
        assert not pooler.shares_sessions(connection)
