"""What an owner of the tables, or a release before this one, could do to a ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.store.controls import INSERT

Admin = psycopg.Connection[dict[str, Any]]
PLANNED = b'{"id":"x","at":"2026-01-02T03:04:05Z","type":"T","root":"a"}'
STARTED = b'{"id":"x","at":"2026-01-02T03:04:05Z"}'


@contextmanager
def owner_of(superuser: str) -> Iterator[Admin]:
    """Whoever owns the tables, for whom no trigger stands in the way."""
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield connection


def put(admin: Admin, stream: str, version: int, topic: str, state: bytes) -> None:
    """A row as it comes."""
    admin.execute(INSERT, (stream, version, topic, state))


def unguarded(admin: Admin, *statements: str) -> None:
    """Statements past every trigger on the events."""
    with admin.transaction():
        admin.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL")
        for statement in statements:
            admin.execute(statement)
        for row in admin.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'ledger.stored_events'::regclass AND NOT tgisinternal"
        ).fetchall():
            admin.execute(f"ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER {row['tgname']}")


def set_time(admin: Admin, position: int, expression: str) -> None:
    """Let a row have been recorded at another time."""
    unguarded(admin, f"UPDATE ledger.stored_events SET recorded_at = {expression} WHERE notification_id = {position}")


def leave_gap(admin: Admin, first: int, last: int | None = None) -> None:
    """Let there be no rows at these positions."""
    unguarded(
        admin, f"DELETE FROM ledger.stored_events WHERE notification_id BETWEEN {first} AND {last or first}"
    )  # fmt: skip
