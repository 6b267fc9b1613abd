import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.appending.recorder import Recorder
from ledger.errors import AppendLockHeld, Unavailable
from ledger.service.assembly import assemble
from ledger.service.readiness import WRITER
from ledger.store.statements import SQL

LINES = [b'{"job":"j%d","event":"planned","type":"T"}' % number for number in range(20)]


@pytest.fixture(autouse=True)
def _nobody_is_asked_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(*_: object) -> None:
        pytest.fail("each caller would be told the same")

    monkeypatch.setattr(Recorder, "_alone", alone)


def test_a_lock_that_is_not_available_is_told_at_once(conninfo: str, superuser: str) -> None:
    with assemble(make_conninfo(conninfo, options=f"{WRITER} -c lock_timeout=200ms")) as ledger:
        ledger.plan("T", job="before")
        with psycopg.connect(superuser) as holder:
            holder.execute(SQL["take_append_lock"])
            with pytest.raises(AppendLockHeld, match="as postgres"):
                ledger.import_records(LINES)

        assert ledger.import_records(LINES).recorded == len(LINES)


def test_a_database_that_takes_no_writes_is_told_at_once(conninfo: str) -> None:
    with (
        assemble(make_conninfo(conninfo, options=f"{WRITER} -c default_transaction_read_only=on")) as ledger,
        pytest.raises(Unavailable, match="takes no writes"),
    ):
        ledger.import_records(LINES)
