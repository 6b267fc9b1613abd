"""A ledger that is sealed, and the owner of its database, who can do anything to it but sign."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.integrity.trust import Trust
from ledger.integrity.verify import Verifier
from ledger.service.readiness import SEALER, WRITER
from ledger.store.connection import connect
from ledger.store.seals import SealTable
from tests.conftest import _database

settings.register_profile("here", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

RECORD = """
INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state)
SELECT 'job:j' || n, 1, 'job.planned.v1',
    convert_to(format('{"id":"e%%s","at":"2026-01-02T03:04:05Z","type":"T","root":"j%%s"}', n, n), 'UTF8')
FROM generate_series(%s::bigint, %s::bigint) AS n
ORDER BY n
"""

REFUSING = (
    ("stored_events", "refuse_change"),
    ("tiles", "refuse_unsealing"),
    ("tiles", "refuse_all_but_growth"),
    ("checkpoints", "refuse_unsealing"),
    ("seal_keys", "refuse_unsealing"),
)


def record(conninfo: str, first: int, last: int) -> None:
    """Put a plan on record for each number, as quickly as that goes."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(RECORD, (first, last))


def room_of(conninfo: str) -> SealTable:
    """Where who seals works, and whoever reads."""
    return SealTable(lambda: connect(make_conninfo(conninfo, options=SEALER)))


@pytest.fixture
def room(conninfo: str) -> SealTable:
    return room_of(conninfo)


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys" / "seal.key")


@pytest.fixture
def sealer(room: SealTable, key_file: KeyFile) -> Sealer:
    return Sealer(room, key_file)


@pytest.fixture
def verifier(room: SealTable, key_file: KeyFile) -> Callable[[], Verifier]:
    """A verifier with what is beside the key at that moment."""

    def make() -> Verifier:
        key = key_file.verifier()
        return Verifier(room, Trust((key,), "the key of the test") if key else Trust(), key_file.kept())

    return make


@pytest.fixture
def owner(superuser: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """The owner of the database, past every trigger that refuses."""
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        for table, trigger in REFUSING:
            connection.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER {trigger}")
        yield connection


@pytest.fixture
def fresh(server: str, template: str) -> Iterator[Callable[[], str]]:
    """Fresh databases, as the writer sees them."""
    with ExitStack() as stack:
        yield lambda: make_conninfo(stack.enter_context(_database(server, template)), options=WRITER)
