"""The numbers that somebody asks with, each within what it can be: limits, positions, spans."""

import math
from datetime import timedelta
from typing import Any

from ledger.domain.values import POSITION_MAX, SECONDS_MAX
from ledger.errors import BadInput, NotFinite, NumberOutOfRange

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}  # of spans, each in seconds
SPAN_MAX = timedelta(days=36_525)  # a hundred years
SHOWN_MAX = 40  # characters of what was said wrongly


def asked_number(what: str, number: Any, least: int = 1) -> int:
    """A number that somebody asks with, such as a limit or a position; raises `NumberOutOfRange`."""
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= POSITION_MAX:
        raise NumberOutOfRange(
            f"{what} must be a whole number from {least:,} to {POSITION_MAX:,}, and {_shown(number)} is not.",
            least=least,
            most=POSITION_MAX,
        )
    return number


def asked_seconds(what: str, seconds: Any, least: float = 0.0) -> float:
    """A span that somebody asks with; raises `NotFinite` and `NumberOutOfRange`."""
    if isinstance(seconds, float) and not math.isfinite(seconds):
        raise NotFinite(f"{what} must be a number of seconds, and {seconds} is none.")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not least <= seconds <= SECONDS_MAX:
        raise NumberOutOfRange(
            f"{what} must be {least:g} to {SECONDS_MAX:,} seconds, and {_shown(seconds)} is not.",
            least=least,
            most=SECONDS_MAX,
        )
    return seconds


def asked_page(before: int | None, limit: int | None) -> None:
    """Raise `NumberOutOfRange` unless a page may begin before this position and have so many entries."""
    if before is not None:
        asked_number("The position that a page begins before", before, least=0)
    if limit is not None:
        asked_number("A limit", limit)


def parse_span(text: str) -> timedelta:
    """A span such as 90s, 15m, 2h, 1d or 3w; a bare number is seconds. Raises `BadInput`."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        span = timedelta(seconds=float(number) * UNITS[unit])
    except (ValueError, OverflowError):
        raise BadInput(f"A span must read like 90s, 15m, 2h or 1d, not {text[:SHOWN_MAX]!r}.") from None
    if span < timedelta():
        raise BadInput(f"A span must not be negative, and this is {text[:SHOWN_MAX]}.")
    if span > SPAN_MAX:
        raise BadInput(f"A span must be {SPAN_MAX.days:,} days at most, and this is {text[:SHOWN_MAX]}.")
    return span


def _shown(value: object) -> str:
    """A value for a sentence, whatever it is: Python prints no integer of more than 4,300 digits."""
    if isinstance(value, int) and abs(value) > POSITION_MAX:
        return "one beyond that" if value > 0 else "one below that"
    return repr(value)[:SHOWN_MAX]
