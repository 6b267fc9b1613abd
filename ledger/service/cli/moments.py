"""Moments as people write them: positions, times, times of day, so long ago."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.errors import BadInput
from ledger.service.cli import output
from ledger.service.wire import parse_moment

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.asking.moment import Past
    from ledger.asking.questions import Questions
    from ledger.domain.cursor import Cursor

LAST = (1 << 63) - 1  # the last position that there can be, and the largest limit
SECONDS_MAX = 36_525 * 86_400  # a hundred years
AsOfOption = Annotated[
    str | None,
    typer.Option(
        metavar="POSITION|TIME",
        help="As it was then: 812, 2026-01-31T03:12:00Z, 03:12 (UTC, the last time that it was), or -2h.",
    ),
]
Occurred = Annotated[
    bool, typer.Option("--occurred", help="With --as-of TIME: what had occurred by then, by the callers' clocks.")
]
After = Annotated[
    str | None,
    typer.Option(
        metavar="POSITION[:EVENTID]",
        help="Only what stands after it. With the id of the event there, as under cursor, that is proved.",
    ),
]


@contextmanager
def as_option() -> Iterator[None]:
    """What is no position, span or moment was said wrongly in an option."""
    try:
        yield
    except BadInput as error:
        raise typer.BadParameter(str(error)) from None


def span(text: str | None) -> timedelta | None:
    """A span as an option has it."""
    from ledger.domain.numbers import parse_span

    with as_option():
        return None if text is None else parse_span(text)


def seconds(value: float | None) -> float | None:
    """A number of seconds as an option has it, where it is one that time can be told by."""
    if value is not None and not value <= SECONDS_MAX:  # NaN is not
        raise typer.BadParameter(f"It must be {SECONDS_MAX:,.0f} seconds at most, and this is {value:g}.")
    return value


def place(after: str | None) -> "Cursor | None":
    """What an option says of where to go on."""
    from ledger.domain.cursor import parse_cursor

    return None if after is None else parse_cursor(after)


def open_moment(ledger: "Ledger", text: str, *, occurred: bool = False) -> "Past":
    """The ledger as of a moment."""
    from ledger import clock

    with as_option():
        moment = parse_moment(text, clock.now())
    return ledger.as_of(moment, occurred=occurred)


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
