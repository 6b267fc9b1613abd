import psycopg
import pytest

from ledger.application import Ledger
from tests.store.controls import ROLES, as_role, rows

CHANGES = (
    "UPDATE ledger.stored_events SET state = 'x'",
    "DELETE FROM ledger.stored_events",
    "TRUNCATE ledger.stored_events",
)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_events(superuser: str, ledger: Ledger, role: str, change: str) -> None:
    ledger.plan("T", job="a")

    with as_role(superuser, role) as connection:
        before = rows(connection)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change)
        assert rows(connection) == before != []


@pytest.mark.parametrize("mode", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_superuser_changes_no_event_by_mistake(superuser: str, ledger: Ledger, change: str, mode: str) -> None:
    ledger.plan("T", job="a")

    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"SET session_replication_role = {mode}")
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(change)
        assert refused.value.sqlstate == "JL001"
        assert len(rows(connection)) == 1
