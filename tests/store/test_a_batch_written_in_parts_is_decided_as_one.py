from collections.abc import Iterator

import pytest
from psycopg.conninfo import make_conninfo

from ledger import clock
from ledger.appending import recorder
from ledger.application import Ledger
from ledger.domain.commands import Transition, parse_transition
from ledger.errors import BadInput, LedgerError
from ledger.service.assembly import assemble
from ledger.service.readiness import WRITER
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.conftest import _database
from tests.projections.histories import History

BATCHES, COMMANDS = 4, 60
WHOLE, ALONE = 10_000, 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("part", [1, 7])
def test_a_batch_written_in_parts_is_decided_as_one(
    server: str, template: str, monkeypatch: pytest.MonkeyPatch, part: int, seed: int
) -> None:
    """What an append has written already and what it keeps in mind give the same answers, and the same views.

    So do appends of one command each.
    """
    told = {}
    for size in (part, WHOLE, ALONE):
        monkeypatch.setattr(recorder, "PART_MIN", size)
        monkeypatch.setattr(recorder, "PARTS_MAX", COMMANDS)
        with _database(server, template) as superuser:
            with assemble(make_conninfo(superuser, options=WRITER)) as ledger:
                history = History(seed)
                batches = [list(_batch(history)) for _ in range(BATCHES)]
                appends = [[said] for batch in batches for said in batch] if size == ALONE else batches
                answers = [answer for append in appends for answer in _answers(ledger, append)]
                events = [(entry.position, entry.event.stream, entry.event.name) for entry in ledger.events()]
            with connect(superuser) as session:
                assert set(rebuild.compare(session).values()) == {0}
        told[size] = answers, events

    assert told[part] == told[WHOLE] == told[ALONE]
    assert len(told[part][1]) > COMMANDS


def _batch(history: History) -> Iterator[Transition]:
    for _ in range(COMMANDS):
        try:
            yield parse_transition(history.next(), clock.new_id)
        except BadInput:
            continue


def _answers(ledger: Ledger, batch: list[Transition]) -> list[tuple[object, ...]]:
    answers = ledger.record_each(batch)
    return [
        (it.code, *it.args) if isinstance(it, LedgerError) else (it.disposition, it.version, it.position)
        for it in answers
    ]
