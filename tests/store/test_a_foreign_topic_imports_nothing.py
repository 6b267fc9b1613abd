import sys

import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import IntegrityFailure, SchemaTooNew
from tests.store.controls import INSERT, as_role


def test_a_foreign_topic_imports_nothing(superuser: str, ledger: Ledger) -> None:
    assert "antigravity" not in sys.modules
    with psycopg.connect(superuser) as connection:
        connection.execute(INSERT, ("job:a", 1, "antigravity:geohash", b"{}"))

    for ask in (lambda: ledger.history("a"), lambda: list(ledger.events()), lambda: ledger.plan("T", job="b")):
        with pytest.raises(SchemaTooNew, match="antigravity"):
            ask()
    assert "antigravity" not in sys.modules
    assert ledger.position() == 1


def test_bytes_that_are_not_those_of_the_topic_are_said_to_be_wrong(superuser: str, ledger: Ledger) -> None:
    with as_role(superuser, "jobledger_writer") as connection:
        connection.execute(INSERT, ("job:a", 1, "job.planned.v1", b'{"id": 1}'))

    with pytest.raises(IntegrityFailure, match="job:a version 1"):
        ledger.history("a")
