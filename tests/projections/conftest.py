from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from ledger.domain.events import Event, Planned
from ledger.domain.values import parse_time
from ledger.store.connection import connect
from ledger.store.mapper import write_row
from tests.conftest import _database
from tests.projections.crowded import fill

INSERT = """
INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)
"""
Rows = Callable[[str], list[str]]


@pytest.fixture(scope="session")
def crowded(server: str, template: str) -> Iterator[str]:
    """A superuser's conninfo of a database with 100 thousand jobs, made once for all who leave it as it is."""
    with _database(server, template) as made:
        fill(made)
        yield made


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """The superuser's session, outside the ledger."""
    with connect(superuser) as connection:
        yield connection


@pytest.fixture
def rows(admin: psycopg.Connection[dict[str, Any]]) -> Rows:
    """Every row of a live view as text."""

    def read(table: str) -> list[str]:
        found = admin.execute(f"SELECT t::text AS said FROM projections.{table} AS t ORDER BY 1").fetchall()
        return [row["said"] for row in found]

    return read


def insert_past_the_views(connection: psycopg.Connection[Any], jobs: int) -> None:
    """Put valid `planned` events on record without telling the views."""
    at = parse_time("2026-01-01T00:00:00Z")
    with connection.cursor() as cursor:
        events = [
            Event(id=f"raw{n}", job=f"raw{n}", version=1, occurred_at=at, fact=Planned(type="Build", root=f"raw{n}"))
            for n in range(jobs)
        ]
        found = [write_row(event) for event in events]
        cursor.executemany(
            INSERT,
            [(row.stream, row.version, row.topic, row.state) for row in found],
        )
