import sys

import psycopg

from ledger.application import Ledger
from tests.store.controls import INSERT


def test_a_foreign_topic_imports_nothing(superuser: str, ledger: Ledger) -> None:
    """A row can never make the reader import a module: it is told as one that is no event, with what it has."""
    assert "antigravity" not in sys.modules
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(INSERT, ("job:a", 1, "antigravity:geohash", b"{}"))

    for (entry,) in (ledger.history("a"), list(ledger.events())):
        assert entry.event.name == "damaged"
        assert entry.event.fact.body["row_topic"] == "antigravity:geohash"
    ledger.plan("T", job="b")
    assert "antigravity" not in sys.modules
    assert ledger.position() == 2


def test_bytes_that_are_not_those_of_the_topic_are_said_to_be_wrong(superuser: str, ledger: Ledger) -> None:
    """What stands there instead is told with why it is no event."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(INSERT, ("job:a", 1, "job.planned.v1", b'{"id": 1}'))

    (entry,) = ledger.history("a")
    assert "job:a version 1" in entry.event.fact.body["why"]
    assert entry.event.fact.body["row"] == "eyJpZCI6IDF9"
