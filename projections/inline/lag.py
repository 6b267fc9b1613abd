"""How far the views are behind the ledger that come with every append, as the database alone can say."""

from typing import Any

from psycopg import Connection

from ledger.store.diagnosis import Lag
from projections.statements import INLINE as SQL


def lag(connection: Connection[Any]) -> Lag:
    """By how many events the views are behind or ahead, and whether they lost their rows."""
    return Lag(**connection.execute(SQL["select_lag"]).fetchall()[0])


def is_unfilled(connection: Connection[Any]) -> bool:
    """Whether there are events that the newest of the views has not begun to take in."""
    return bool(connection.execute(SQL["select_unfilled"]).fetchall()[0]["unfilled"])
