import json
import random
from contextlib import suppress

import psycopg
import pytest

from ledger.application import Ledger
from ledger.domain.events import Event
from ledger.errors import IntegrityFailure, LedgerError, SchemaTooNew
from ledger.store.mapper import read_recorded, write_row
from ledger.store.statements import SQL
from projections.followed.stored_event import read_stored
from tests.projections.histories import History

ROW = {"originator_id": "job:a", "originator_version": 1, "notification_id": 7, "recorded_at": None}


@pytest.mark.parametrize("seed", range(3))
def test_a_stored_event_says_what_was_told(
    ledger: Ledger, admin: psycopg.Connection[dict[str, object]], seed: int
) -> None:
    """Over random histories it equals the event that the mapper reads, field by field, and says the same JSON."""
    history, choose = History(seed), random.Random(seed)
    for _ in range(200):
        with suppress(LedgerError):
            ledger.record(history.next())
    rows = admin.execute(SQL["select_page"], {"after": 0, "limit": 1_000}).fetchall()
    assert len(rows) > 50
    for row in rows:
        lazy, read = read_stored(row), read_recorded(row)
        assert (lazy.position, lazy.recorded_at) == (read.position, read.recorded_at)
        names = [name for name in Event._fields if name != "fact"] + ["name", "stream"]
        choose.shuffle(names)
        assert {name: getattr(lazy.event, name) for name in names} == {
            name: getattr(read.event, name) for name in names
        }
        assert lazy.event.said == json.loads(write_row(read.event).state)


def test_a_topic_or_bytes_that_nobody_knows_are_an_error() -> None:
    """Nothing is guessed of a row that this release cannot read."""
    with pytest.raises(SchemaTooNew):
        read_stored(ROW | {"topic": "job.planned.v9", "state": b"{}"})
    with pytest.raises(IntegrityFailure, match="not those of a planned"):
        read_stored(ROW | {"topic": "job.planned.v1", "state": b"{"})
