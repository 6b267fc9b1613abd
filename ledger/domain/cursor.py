"""A place in a ledger that is known again: a position, and the id of the event that stands there.

A number alone is no proof: a ledger that was restored, or failed over with loss, goes back and grows again, and then
another event stands at the same position.
"""

from typing import Any, Self

from ledger.domain.numbers import asked_number
from ledger.domain.values import POSITION_MAX
from ledger.errors import MalformedCursor


class Cursor(int):
    """A position that carries the id of its event; it is a number in all else. The id is None where it is not known."""

    event_id: str | None

    def __new__(cls, position: int, event_id: str | None = None) -> Self:
        """The place of an event."""
        cursor = super().__new__(cls, position)
        cursor.event_id = event_id
        return cursor

    def __getnewargs__(self) -> Any:
        """What a copy is made of."""
        return int(self), self.event_id

    @property
    def text(self) -> str:
        """The cursor as it is kept and given back: `12:EVENTID`, or `12`."""
        return f"{int(self)}" if self.event_id is None else f"{int(self)}:{self.event_id}"


def asked_place(what: str, place: Any) -> Cursor:
    """A place that somebody asks with: a cursor, or a bare number, which is believed.

    Raises `MalformedCursor` and `NumberOutOfRange`.
    """
    number = asked_number(what, place, least=0)
    event_id = getattr(place, "event_id", None)
    if event_id is not None and not isinstance(event_id, str):
        raise MalformedCursor(f"The event id of a cursor must be a text, and this is {repr(event_id)[:80]}.")
    return Cursor(number, event_id)


def parse_cursor(text: str) -> Cursor:
    """The cursor that a text is, `POSITION` or `POSITION:EVENTID`; raises `MalformedCursor` and `NumberOutOfRange`."""
    position, colon, event_id = text.partition(":")
    if (
        not (position.isascii() and position.isdecimal())
        or (colon and not event_id)
        or len(position) > len(str(POSITION_MAX))
    ):
        raise MalformedCursor(f"A place in the ledger must be POSITION or POSITION:EVENTID, and this is {text[:80]!r}.")
    return Cursor(asked_number("A position", int(position), least=0), event_id or None)
