"""Where in the ledger a moment lies: a position and its time, a time and the last position before it."""

from datetime import datetime

from ledger.domain.past import AsOf
from ledger.domain.values import POSITION_MAX, print_time
from ledger.errors import MalformedRecord, MomentNotFound
from ledger.store.statements import SQL
from ledger.store.views import Session


def find_moment(session: Session, moment: int | datetime, *, occurred: bool = False) -> AsOf:
    """The place of a position, of a time of recording, or of a time by the callers' clocks.

    A time of recording takes one look-up for each binary digit of the head. Raises `MomentNotFound` for a position
    that no event has, and for a time at which nothing was on record.
    """
    if isinstance(moment, datetime):
        return _occurred(session, moment) if occurred else _recorded(session, moment)
    if occurred:
        raise MalformedRecord("What had occurred is asked as of a time, not of a position.")
    return _placed(session, moment)


def _placed(session: Session, position: int) -> AsOf:
    asked = {"position": min(max(position, 0), POSITION_MAX)}
    row = session.execute(SQL["select_time_of_position"], asked).fetchall()[0]
    if row["recorded_at"] is None:
        found = f"the ledger goes from 1 to {row['head']:,}" if row["head"] else "the ledger is empty"
        raise MomentNotFound(f"No event has the position {position:,}: {found}.", position=position, head=row["head"])
    return AsOf(position, row["recorded_at"])


def _recorded(session: Session, at: datetime) -> AsOf:
    row = session.execute(SQL["select_position_at_time"], {"at": at}).fetchall()[0]
    if row["position"] == 0:
        first = f"the first event is of {print_time(row['first_at'])}" if row["first_at"] else "the ledger is empty"
        raise MomentNotFound(
            f"Nothing was on record at {print_time(at)}: {first}.", at=print_time(at), head=row["head"]
        )
    return AsOf(row["position"], min(at, row["now"]))


def _occurred(session: Session, at: datetime) -> AsOf:
    return AsOf(int(session.execute(SQL["select_head"]).fetchall()[0]["head"]), at, occurred=True)
