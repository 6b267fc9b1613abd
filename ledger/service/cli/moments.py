"""Moments as people write them: positions, times, times of day, so long ago."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.service.cli import output

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.asking.moment import Past
    from ledger.asking.questions import Questions
    from ledger.domain.cursor import Cursor

AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="POSITION|TIME",
        help="As it was then: 812, 2026-01-31T03:12:00Z, 03:12 (UTC, the last time that it was), or -2h.",
    ),
]
Occurred = Annotated[
    bool, typer.Option("--occurred", help="With --as-of TIME: what had occurred by then, by the callers' clocks.")
]
LAST = (1 << 63) - 1  # the last position that there can be, and the largest limit
SPAN_MAX = timedelta(days=36_525)  # a hundred years
SHOWN_MAX = 40  # characters of what was said wrongly
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SECONDS_MAX = SPAN_MAX.total_seconds()
After = Annotated[
    str | None,
    typer.Option(
        metavar="POSITION[:EVENTID]",
        help="Only what stands after it. With the id of the event there, as under cursor, that is proved.",
    ),
]
_POSITION = re.compile(r"\d+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HOUR = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)


def parse_span(text: str) -> timedelta:
    """A span such as 90s, 15m, 2h or 1d; a bare number is seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in SECONDS else (text, "s")
    try:
        span = timedelta(seconds=float(number) * SECONDS[unit])
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"A span must read like 90s, 15m, 2h or 1d, not {text[:SHOWN_MAX]!r}.") from None
    if span < timedelta():
        raise typer.BadParameter(f"A span must not be negative, and this is {text[:SHOWN_MAX]}.")
    if span > SPAN_MAX:
        raise typer.BadParameter(f"A span must be {SPAN_MAX.days:,} days at most, and this is {text[:SHOWN_MAX]}.")
    return span


def seconds(value: float | None) -> float | None:
    """A number of seconds as an option has it, where it is one that time can be told by."""
    if value is not None and not value <= SECONDS_MAX:  # NaN is not
        raise typer.BadParameter(f"It must be {SECONDS_MAX:,.0f} seconds at most, and this is {value:g}.")
    return value


def place(after: str | None) -> "Cursor | None":
    """What an option says of where to go on."""
    from ledger.domain.cursor import parse_cursor

    return None if after is None else parse_cursor(after)


def position(text: str) -> int:
    """A position in digits."""
    if len(text.lstrip("0")) > len(str(LAST)) or int(text) > LAST:
        raise typer.BadParameter(f"A position must be {LAST} at most, and this is {text[:SHOWN_MAX]}.")
    return int(text)


def parse_moment(text: str, now: datetime) -> int | datetime:
    """A position or a time; a time of day is the last one that has been, a day begins at midnight, all in UTC."""
    from ledger.domain.values import parse_time
    from ledger.errors import BadInput

    if _POSITION.fullmatch(text):
        return position(text)
    try:
        if text.startswith("-"):
            return now - parse_span(text[1:])
        if _HOUR.fullmatch(text):
            today = datetime.combine(now.date(), time.fromisoformat(text), UTC)
            return today if today <= now else today - timedelta(days=1)
        return parse_time(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except (BadInput, ValueError, OverflowError, typer.BadParameter):
        raise typer.BadParameter(
            f"A moment must read like 812, 2026-01-31T03:12:00Z, 2026-01-31, 03:12 or -2h, not {text[:SHOWN_MAX]!r}."
        ) from None


def open_moment(ledger: "Ledger", text: str, *, occurred: bool = False) -> "Past":
    """The ledger as of a moment."""
    from ledger import clock

    return ledger.as_of(parse_moment(text, clock.now()), occurred=occurred)


def catch_up(past: "Past") -> None:
    """Make ready to ask about entities and trees; whoever waits for that long is told why."""
    past.catch_up(output.catching_up("The view activity is"))


@contextmanager
def asked(as_of: str | None, *, occurred: bool, of_one: bool = False) -> "Iterator[Questions | Past]":
    """Who is to be asked: the ledger as it is or, with `--as-of`, as it was, which is said on stderr.

    `of_one`: about one job alone, for which nothing has to catch up.
    """
    if as_of is None:
        from ledger.service.asking import open_questions

        _check_belongs(as_of, occurred=occurred)
        with open_questions() as questions:
            yield questions
        return
    from ledger import open_ledger

    with open_ledger() as ledger:
        past = open_moment(ledger, as_of, occurred=occurred)
        if not of_one:
            catch_up(past)
        output.note(f"As of {past}.")
        yield past


def then(ledger: "Ledger", as_of: str | None, *, occurred: bool) -> "Ledger | Past":
    """The same, of a ledger that is open, about one job alone."""
    _check_belongs(as_of, occurred=occurred)
    if as_of is None:
        return ledger
    past = open_moment(ledger, as_of, occurred=occurred)
    output.note(f"As of {past}.")
    return past


def _check_belongs(as_of: str | None, *, occurred: bool) -> None:
    if occurred and as_of is None:
        raise typer.BadParameter("--occurred belongs to --as-of TIME.")
