from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from ledger.application import Ledger
from ledger.errors import IntegrityFailure
from tests.store.controls import as_role, look_at, stray


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def _found(connection: psycopg.Connection[DictRow]) -> dict[str, str]:
    found = look_at(connection)
    assert all(finding.sentence.endswith(".") for finding in found)
    return {finding.code: finding.level for finding in found if finding.level != "ok"}


def test_a_writer_finds_nothing_wrong(superuser: str) -> None:
    with as_role(superuser, "jobledger_writer") as connection:
        assert _found(connection) == {}


def test_a_database_without_a_ledger(empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True, row_factory=dict_row) as connection:
        assert _found(connection) == {"schema": "error"}


@pytest.mark.parametrize(
    ("damage", "code", "level"),
    [
        ("SELECT 1", "superuser", "warning"),
        ("ALTER TABLE ledger.stored_events DISABLE TRIGGER refuse_change", "triggers", "error"),
        ("ALTER TABLE ledger.stored_events ENABLE TRIGGER place_append", "triggers", "error"),
        ("DROP TRIGGER place_append ON ledger.stored_events", "triggers", "error"),
        ("ALTER TABLE ledger.tiles DISABLE TRIGGER refuse_all_but_growth", "triggers", "error"),
        ("ALTER TABLE ledger.checkpoints ENABLE TRIGGER refuse_unsealing", "triggers", "error"),
        ("GRANT UPDATE ON ledger.stored_events TO jobledger_writer", "privileges", "error"),
        ("GRANT INSERT ON ledger.stored_events TO jobledger_writer", "privileges", "error"),
        ("GRANT INSERT (recorded_at) ON ledger.stored_events TO jobledger_projector", "privileges", "error"),
        ("SET synchronous_commit = off", "settings", "error"),
        ("UPDATE ledger.migrations SET checksum = 'x' WHERE schema = 'ledger'", "schema", "error"),
        ("DELETE FROM ledger.migrations WHERE schema = 'projections'", "schema", "error"),
    ],
)
def test_each_damage_is_found(admin: psycopg.Connection[DictRow], damage: str, code: str, level: str) -> None:
    admin.execute(damage)

    assert _found(admin)[code] == level


def test_views_that_are_behind_are_told(admin: psycopg.Connection[DictRow], ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    stray(admin, "job:b")

    assert _found(admin)["views"] == "warning"
    ledger.plan("T", job="c")
    assert "views" not in _found(admin)


@pytest.mark.parametrize(("schema", "code"), [("projections", "views"), ("history", "followed")])
def test_views_that_are_ahead_of_the_ledger_are_told(
    admin: psycopg.Connection[DictRow], ledger: Ledger, schema: str, code: str
) -> None:
    """They would be believed about events that are yet to come, and miss these."""
    ledger.plan("T", job="a")
    assert len(ledger.search().page().entries) == 1
    admin.execute(f"UPDATE {schema}.tracking SET position = 77")

    assert _found(admin)[code] == "error"
    if schema == "history":
        with pytest.raises(IntegrityFailure, match="ahead of the ledger"):
            ledger.search().page()
