"""Whatever is said, in whatever order: an append that recalls streams decides as one that reads them whole."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from ledger import clock
from ledger.application import Ledger
from ledger.domain.commands import parse_transition
from ledger.domain.events import RecordedEvent
from ledger.domain.values import parse_time
from ledger.errors import LedgerError
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.projections.histories import History, Record

COMMANDS = 160


@pytest.mark.parametrize("seed", range(5))
def test_after_any_history(conninfo: str, second: str, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Each command has the same answer and the same events, however soon a stream is long.

    Processes come and go, commands come alone and together, clocks go back, and what was said is said again.
    """
    answers = {}
    for short, place in ((2, conninfo), (1_000, second)):
        with monkeypatch.context() as patched, assemble(place) as ledger:
            for module in ("domain.content", "appending.workspace", "appending.shelf", "appending.lookup"):
                patched.setattr(f"ledger.{module}.SHORT_EVENTS_MAX", short)
            patched.setattr("projections.inline.told.SHORT_EVENTS_MAX", short)
            answers[short] = [*_live(ledger, place, seed, patched)], [_said(entry) for entry in ledger.events()]
            with connect(place.replace("jobledger_writer", "jobledger_projector")) as session:
                assert set(rebuild.compare(session).values()) == {0}

    assert answers[2] == answers[1_000]
    assert max(said["version"] for said in answers[2][1]) > 10


def _live(ledger: Ledger, place: str, seed: int, patched: pytest.MonkeyPatch) -> Iterator[Any]:
    """The answers to a random history, told to a process that is warm or fresh."""
    history, choose = History(seed), random.Random(seed)
    for number in range(COMMANDS):
        now = parse_time(f"2026-01-01T00:00:{choose.randrange(10):02}Z")
        patched.setattr(clock, "now", lambda now=now: now)
        records = [_timed(history.next(), choose) for _ in range(choose.choice((1, 1, 1, 6)))]
        if number % 7 == 0:
            records = [record for record in records for _ in range(2)]
        with _process(ledger, place, fresh=choose.random() < 0.4) as process:
            yield [_answer(it) for it in _say(process, records)]


@contextmanager
def _process(ledger: Ledger, place: str, *, fresh: bool) -> Iterator[Ledger]:
    if not fresh:
        yield ledger
        return
    with assemble(place) as other:
        yield other


def _timed(record: Record, choose: random.Random) -> Record:
    more: Record = {}
    if choose.random() < 0.5:
        more["at"] = f"2026-01-01T00:00:{choose.randrange(10):02}Z"
    if choose.random() < 0.1:
        more["id"] = choose.choice("xyz")
    return record | more


def _say(ledger: Ledger, records: Sequence[Record]) -> Sequence[Any]:
    if len(records) > 1:
        return ledger.record_each([parse_transition(record, lambda: "never") for record in records])
    try:
        return [ledger.record(records[0])]
    except LedgerError as error:
        return [error]


def _answer(found: Any) -> Any:
    return (found.code, str(found)) if isinstance(found, LedgerError) else found


def _said(entry: RecordedEvent) -> dict[str, Any]:
    event = entry.event
    said = event._asdict() | {"fact": event.fact.text, "position": entry.position, "name": event.name}
    return said if not event.id.startswith("~") else said | {"id": None}
