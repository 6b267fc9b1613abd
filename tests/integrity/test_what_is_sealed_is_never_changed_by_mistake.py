import psycopg
import pytest

from ledger.integrity.sealer import Sealer
from tests.integrity.conftest import record
from tests.store.controls import ROLES, as_role

CHANGES = (
    "UPDATE ledger.checkpoints SET note = 'x'",
    "DELETE FROM ledger.checkpoints",
    "TRUNCATE ledger.checkpoints",
    "UPDATE ledger.seal_keys SET verifier_key = 'x'",
    "DELETE FROM ledger.seal_keys",
    "TRUNCATE ledger.seal_keys",
    "UPDATE ledger.tiles SET hashes = decode(repeat('00', 64), 'hex')",
    "UPDATE ledger.tiles SET hashes = substr(hashes, 1, 32)",
    "UPDATE ledger.tiles SET number = number + 1",
    "DELETE FROM ledger.tiles",
    "TRUNCATE ledger.tiles",
)


@pytest.mark.parametrize("mode", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_superuser_changes_nothing_by_mistake(
    superuser: str, conninfo: str, sealer: Sealer, change: str, mode: str
) -> None:
    record(conninfo, 1, 5)
    sealer.seal()

    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"SET session_replication_role = {mode}")
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(change)
        assert refused.value.sqlstate == "JL001"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_what_is_sealed(superuser: str, conninfo: str, sealer: Sealer, role: str, change: str) -> None:
    record(conninfo, 1, 5)
    sealer.seal()

    with as_role(superuser, role) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(change)
    assert refused.value.sqlstate in ("42501", "JL001")


@pytest.mark.parametrize("role", [role for role in ROLES if role != "jobledger_sealer"])
def test_only_a_sealer_seals(superuser: str, role: str) -> None:
    for statement in (
        "INSERT INTO ledger.checkpoints (size, note) VALUES (0, 'x')",
        "INSERT INTO ledger.seal_keys (verifier_key) VALUES ('x')",
        "INSERT INTO ledger.tiles VALUES (0, 0, decode(repeat('00', 32), 'hex'), '')",
    ):
        with as_role(superuser, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_checkpoint_cannot_be_dated_by_who_signs_it(superuser: str) -> None:
    with as_role(superuser, "jobledger_sealer") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("INSERT INTO ledger.checkpoints (size, note, sealed_at) VALUES (0, 'x', now())")
