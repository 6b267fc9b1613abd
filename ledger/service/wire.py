"""What every face shares: the exit code of an error, an event as JSON, and moments as people write them."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from ledger.errors import BadInput, Conflict, IntegrityFailure, LedgerError, NotFound, Unavailable, WaitTimedOut

if TYPE_CHECKING:
    from ledger.domain.events import RecordedEvent

USAGE = 2
FAULTY = 70  # sysexits.h: an internal error
EXIT_CODES: dict[type[LedgerError], int] = {
    BadInput: USAGE,
    NotFound: 4,
    Conflict: 5,
    IntegrityFailure: 6,
    Unavailable: 69,
    WaitTimedOut: 124,
}
SHOWN_MAX = 40  # characters of what was said wrongly
_POSITION = re.compile(r"\d+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HOUR = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)


def exit_code(error: LedgerError) -> int:
    """The exit code of an error, by its family."""
    return next((code for family, code in EXIT_CODES.items() if isinstance(error, family)), FAULTY)


def event_json(entry: "RecordedEvent") -> dict[str, Any]:
    """A recorded event: its transition record, with its place in the ledger."""
    from ledger.domain.values import print_time
    from ledger.records.transcript import transcribe_event

    place = {"position": entry.position, "version": entry.event.version, "recorded_at": print_time(entry.recorded_at)}
    return transcribe_event(entry.event) | place


def parse_position(text: str) -> int:
    """A position in digits; raises `BadInput`."""
    from ledger.domain.values import POSITION_MAX

    if len(text.lstrip("0")) > len(str(POSITION_MAX)) or int(text) > POSITION_MAX:
        raise BadInput(f"A position must be {POSITION_MAX} at most, and this is {text[:SHOWN_MAX]}.")
    return int(text)


def parse_moment(text: str, now: datetime) -> int | datetime:
    """A position or a time; a time of day is the last one that has been, a day begins at midnight, all in UTC.

    Raises `BadInput`.
    """
    from ledger.domain.numbers import parse_span
    from ledger.domain.values import parse_time

    if _POSITION.fullmatch(text):
        return parse_position(text)
    try:
        if text.startswith("-"):
            return now - parse_span(text[1:])
        if _HOUR.fullmatch(text):
            today = datetime.combine(now.date(), time.fromisoformat(text), UTC)
            return today if today <= now else today - timedelta(days=1)
        return parse_time(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except (BadInput, ValueError, OverflowError):
        raise BadInput(
            f"A moment must read like 812, 2026-01-31T03:12:00Z, 2026-01-31, 03:12 or -2h, not {text[:SHOWN_MAX]!r}."
        ) from None
