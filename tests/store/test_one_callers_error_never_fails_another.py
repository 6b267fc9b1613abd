from collections.abc import Sequence
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.domain.events import Placed
from ledger.errors import IntegrityFailure, LedgerError, Unavailable
from ledger.records.importer import Rejected
from ledger.store.views import Session
from projections.inline.views import InlineViews

LINES = [
    b'{"job":"a","event":"planned","type":"T"}',
    b'{"job":"a","event":"planned","type":"Other"}',
    b'{"job":"poison","event":"planned","type":"T"}',
    b'{"job":"b","event":"planned","type":"T"}',
    b'{"job":"b","event":"succeeded"}',
]


def test_a_contradiction_in_a_batch_stays_with_its_caller(ledger: Ledger) -> None:
    rejected: list[Rejected] = []

    summary = ledger.import_records(LINES, on_reject=rejected.append)

    assert [entry.error.code for entry in rejected] == ["contradiction"]
    assert (summary.recorded, summary.rejected) == (4, 1)


@pytest.mark.parametrize(
    ("poison", "error"),
    [
        ("SELECT 1 / 0", Unavailable),
        ("INSERT INTO projections.tracking (view) VALUES ('v')", Unavailable),
        ("INSERT INTO projections.tracking (view, version) VALUES ('v', 1)", IntegrityFailure),
    ],
)
def test_an_unexpected_error_of_the_database_stays_with_its_caller(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, poison: str, error: type[LedgerError]
) -> None:
    honest = InlineViews.write

    def poisoned(self: InlineViews, session: Session, kept: Sequence[Any], entries: Sequence[Placed]) -> None:
        if any(status.document["job"] == "poison" for status, *_ in kept):
            session.execute(poison)
        honest(self, session, kept, entries)

    monkeypatch.setattr(InlineViews, "write", poisoned)
    rejected: list[Rejected] = []

    ledger.import_records(LINES, on_reject=rejected.append)

    assert [(entry.number, type(entry.error).__name__) for entry in rejected] == [
        (2, "Contradiction"),
        (3, error.__name__),
    ]
    assert ledger.job("b").ok
    assert ledger.position() == 3
    with pytest.raises(error):
        ledger.plan("T", job="poison")
    monkeypatch.undo()
    assert ledger.plan("T", job="poison").position == 4
