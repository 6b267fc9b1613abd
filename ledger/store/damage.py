"""The rows that are no events, or stand out of turn: those that the views met, and those that they have yet to meet."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from psycopg import Connection

from ledger.domain.events import Damaged
from ledger.domain.itself import Itself, evolve_itself
from ledger.domain.values import POSITION_MAX, print_time
from ledger.errors import SchemaTooNew
from ledger.store.diagnosis import Diagnosis
from ledger.store.reading import read_in_turn, rows_in_turn
from ledger.store.statements import SQL
from ledger.store.streams import read_page
from ledger.store.views import Inspected

SHOWN_MAX = 20
BEHIND_MAX = 2_000  # events that the views have yet to take in
AHEAD_MAX = timedelta(hours=1)  # of the clock, beyond which no clock goes wrong
AHEAD_MIN = timedelta(seconds=1)


def examine_rows(connection: Connection[Any], views: Inspected) -> Iterator[Diagnosis]:
    """What is wrong with the rows themselves; a break that was accepted is a warning."""
    try:
        yield from _examine(connection, views)
    except SchemaTooNew as error:
        yield Diagnosis("damaged", "warning", str(error))


def _examine(connection: Connection[Any], views: Inspected) -> Iterator[Diagnosis]:
    accepted = {position for position, _ in _itself(connection).accepted}
    why_by_position = dict(_damaged(connection, views))
    for position, why in sorted(why_by_position.items())[:SHOWN_MAX]:
        how = f"jobledger seal --accept {position} says that it was seen"
        yield Diagnosis(
            "damaged",
            "warning" if position in accepted else "error",
            f"The row at position {position:,} is no event where it stands, so that nothing more is recorded in its "
            f"stream ({why}); {'it was accepted' if position in accepted else how}.",
        )
    if len(why_by_position) > SHOWN_MAX:
        yield Diagnosis(
            "damaged", "error", f"{len(why_by_position) - SHOWN_MAX:,} further rows are no events where they stand."
        )
    if not why_by_position:
        yield Diagnosis("damaged", "ok", "Every row is an event that stands in its turn.")
    yield from _last_time(connection)


def _itself(connection: Connection[Any]) -> Itself:
    rows = connection.execute(SQL["select_identity"]).fetchall()
    ledger = str(rows[0]["ledger"]) if rows else ""
    itself = Itself(ledger)
    for entry in read_page(connection, {f"ledger:{ledger}": 0}, POSITION_MAX):
        itself = evolve_itself(itself, entry.event)
    return itself


def _damaged(connection: Connection[Any], views: Inspected) -> Iterator[tuple[int, str]]:
    for position, why in views.damaged(connection):
        yield position, why.rstrip(".")
    for entry in read_in_turn(connection, rows_in_turn(connection, views.position(connection), BEHIND_MAX)):
        if type(entry.event.fact) is Damaged:
            yield entry.position, entry.event.fact.why.rstrip(".")


def _last_time(connection: Connection[Any]) -> Iterator[Diagnosis]:
    rows = connection.execute(SQL["select_last_time"]).fetchall()
    if not rows or (ahead := rows[0]["recorded_at"] - rows[0]["now"]) <= AHEAD_MIN:
        return
    yield Diagnosis(
        "time",
        "error" if ahead > AHEAD_MAX else "warning",
        f"The last event must not be ahead of the clock, and was recorded at {print_time(rows[0]['recorded_at'])}, "
        f"{ahead.total_seconds():,.0f} s from now: until then all that is recorded bears that time, so ask for what is "
        "new by position.",
    )
