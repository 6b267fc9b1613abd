"""A few named things that the tests of the store start from."""

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from ledger.service.readiness import migrator
from ledger.store.diagnosis import Diagnosis
from ledger.store.doctor import examine
from projections.inspection import Inspection

ROLES = ("jobledger_writer", "jobledger_projector", "jobledger_reader", "jobledger_sealer")
INSERT = "INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)"


def as_role(superuser: str, role: str) -> psycopg.Connection[DictRow]:
    """A connection of one of the roles."""
    conninfo = make_conninfo(superuser, options=f"-c role={role}")
    return psycopg.connect(conninfo, autocommit=True, row_factory=dict_row)


def stray(connection: psycopg.Connection[Any], stream: str, version: int = 1, topic: str = "job.planned.v1") -> None:
    """An INSERT by some other program: a valid event, but not one of ours."""
    said = '{{"id":"stray","at":"2026-01-02T03:04:05Z","type":"Stray","root":"{}"}}'.format(stream.partition(":")[2])
    connection.execute(INSERT, (stream, version, topic, said.encode()))


def rows(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """All stored events in order."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM ledger.stored_events ORDER BY notification_id").fetchall()


def look_at(connection: psycopg.Connection[Any]) -> list[Diagnosis]:
    """What `doctor` finds over a connection."""
    return examine(connection, migrator(), Inspection())
