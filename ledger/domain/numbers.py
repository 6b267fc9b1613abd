"""The numbers that somebody asks with, each within what it can be: limits, positions, spans."""

import math
from typing import Any

from ledger.domain.values import POSITION_MAX, SECONDS_MAX
from ledger.errors import NotFinite, NumberOutOfRange


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


def _shown(value: object) -> str:
    """A value for a sentence, whatever it is: Python prints no integer of more than 4,300 digits."""
    if isinstance(value, int) and abs(value) > POSITION_MAX:
        return "one beyond that" if value > 0 else "one below that"
    return repr(value)[:40]
