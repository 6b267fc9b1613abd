from datetime import UTC, datetime

import psycopg
import pytest

from ledger.application import Ledger
from tests.store.controls import ROLES, as_role, rows, stray

COLUMNS = "originator_id, originator_version, topic, state"
FORGERIES = (
    f"INSERT INTO ledger.stored_events ({COLUMNS}, notification_id) OVERRIDING SYSTEM VALUE VALUES ('j',1,'t','',99)",
    f"INSERT INTO ledger.stored_events ({COLUMNS}, recorded_at) VALUES ('j', 1, 't', '', '1999-01-01Z')",
    "SELECT setval('ledger.stored_events_notification_id_seq', 99)",
    "SELECT nextval('ledger.stored_events_notification_id_seq')",
)


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("role", ROLES)
def test_no_role_forges_a_position(superuser: str, role: str, forgery: str) -> None:
    with as_role(superuser, role) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(forgery)
        assert rows(connection) == []


def test_the_time_of_recording_is_the_servers(superuser: str) -> None:
    before = datetime.now(UTC)
    with as_role(superuser, "jobledger_writer") as connection, connection.transaction():
        connection.execute("SELECT set_config('jobledger.recorded_at', '1999-01-01Z', true)")
        stray(connection, "job:a")
        connection.execute("SELECT set_config('jobledger.recorded_at', '1999-01-01Z', true)")
        stray(connection, "job:b")

        assert all(row["recorded_at"] >= before for row in rows(connection))


def test_an_append_that_is_rolled_back_leaves_no_gap(superuser: str, ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    with as_role(superuser, "jobledger_writer") as connection, connection.transaction(force_rollback=True):
        stray(connection, "job:b")

    assert ledger.plan("T", job="c").position == 2


def test_time_never_goes_back_with_position(superuser: str, ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL")
        connection.execute("UPDATE ledger.stored_events SET recorded_at = recorded_at + interval '1 hour'")
        connection.execute("ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER place_append")
        ledger.plan("T", job="b")

        first, second = rows(connection)
    assert second["recorded_at"] >= first["recorded_at"] > datetime.now(UTC)
