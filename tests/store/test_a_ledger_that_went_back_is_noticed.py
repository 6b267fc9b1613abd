import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import PositionAhead
from ledger.service.assembly import assemble


def _restore(superuser: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM ledger.stored_events WHERE notification_id > 1")
        connection.execute("ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER place_append")
        connection.execute("ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER refuse_change")
        connection.execute("DELETE FROM projections.job_status WHERE (document ->> 'position')::bigint > 1")
        connection.execute("UPDATE projections.tracking SET position = 1")


def test_a_ledger_that_went_back_is_noticed(superuser: str, conninfo: str, ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    ledger.plan("T", job="b")
    _restore(superuser)

    with pytest.raises(PositionAhead):
        ledger.plan("T", job="c")
    with pytest.raises(PositionAhead):
        next(ledger.watch(2))
    with assemble(conninfo) as fresh:
        assert fresh.plan("T", job="c").position == 2
