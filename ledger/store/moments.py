"""Where in the ledger a moment lies: a position and its time, a time and the last position before it."""

from datetime import datetime, timedelta
from typing import Any

from ledger.domain.moment import AsOf
from ledger.domain.values import POSITION_MAX, print_time
from ledger.errors import MalformedRecord, MomentNotFound
from ledger.store.reading import head
from ledger.store.statements import SQL
from ledger.store.views import Session

AHEAD_MAX = timedelta(hours=1)  # of the clock; what is told as of later than that cannot have been recorded then
AHEAD_SECONDS_MIN = 1.0
MISLED_MAX = 64


def find_moment(session: Session, moment: int | datetime, *, occurred: bool = False) -> AsOf:
    """The place of a position, of a time of recording, or of a time by the callers' clocks.

    A time of recording takes one look-up for each binary digit of the head. A position without an event, as a ledger of
    before may have one, is told as it stood before. Raises `MomentNotFound` for a position that the ledger has not
    reached, and for a time at which nothing was on record.
    """
    if isinstance(moment, datetime):
        return _occurred(session, moment) if occurred else _recorded(session, moment)
    if occurred:
        raise MalformedRecord("What had occurred is asked as of a time, not of a position.")
    return _placed(session, moment)


def _placed(session: Session, position: int) -> AsOf:
    asked = {"position": min(max(position, 0), POSITION_MAX), "ahead": AHEAD_MAX}
    row = session.execute(SQL["select_time_of_position"], asked).fetchall()[0]
    if not 1 <= position <= row["head"] or row["recorded_at"] is None:
        extent = f"the ledger goes from 1 to {row['head']:,}" if row["head"] else "the ledger is empty"
        raise MomentNotFound(f"No event has the position {position:,}: {extent}.", position=position, head=row["head"])
    return AsOf(position, row["recorded_at"])


def _recorded(session: Session, at: datetime) -> AsOf:
    row = session.execute(SQL["select_span"]).fetchall()[0]
    asked = {"at": at, "latest": row["now"] + AHEAD_MAX}
    position = _halve(session, asked, row["head"]) if row["head"] else None
    if not position:
        first = f"the first event is of {print_time(row['first_at'])}" if row["first_at"] else "the ledger is empty"
        raise MomentNotFound(
            f"Nothing was on record at {print_time(at)}: {first}.", at=print_time(at), head=row["head"]
        )
    ahead = row["ahead_seconds"]
    return AsOf(position, min(at, row["now"]), ahead_seconds=ahead if ahead >= AHEAD_SECONDS_MIN else 0.0)


def _halve(session: Session, asked: dict[str, Any], head: int) -> int | None:
    """The last position that was recorded at or before a time; None where there is none.

    Where rows of another time than those around them misled the search, it is made again on the right side of them.
    """
    low, high = 0, head
    for _ in range(MISLED_MAX):
        span = {"low": low, "high": high, **asked}
        middle = session.execute(SQL["select_position_at_time"], span).fetchall()[0]["position"]
        around = session.execute(SQL["select_neighbours"], {"position": middle, **asked}).fetchall()[0]
        if _went_back(around, asked["at"]) and around["earlier"] > low:
            high = around["earlier"] - 1
        elif _went_ahead(around, asked["at"]) and around["later"] <= high:
            low = around["later"]
        else:
            break
    position: int | None = around["position"]
    return position


def _went_back(around: dict[str, Any], at: datetime) -> bool:
    """Whether what was found is of a time before that of the rows in front, which do not count yet."""
    first, earlier = around["first_at"], around["earlier_at"]
    return first is not None and earlier > at and around["here_at"] < min(first, earlier)


def _went_ahead(around: dict[str, Any], at: datetime) -> bool:
    """Whether the rows behind what was found are of a time ahead, and those behind them count again."""
    later = around["later_at"]
    return later is not None and later <= at < around["next_at"] and later >= (around["here_at"] or later)


def _occurred(session: Session, at: datetime) -> AsOf:
    return AsOf(head(session), at, occurred=True)
