"""How far the views are behind the ledger, as far as the database alone can say."""

from typing import Any

from psycopg import Connection

from ledger.store.statements import SQL


def lag(connection: Connection[Any]) -> dict[str, Any]:
    """By how many events the views that come with an append are behind (`lag`) or `ahead`, and whether `emptied`."""
    return dict(connection.execute(SQL["select_lag"]).fetchall()[0])


def followed_lag(connection: Connection[Any]) -> list[dict[str, Any]]:
    """By how many events each followed view is behind, below 0 where it is ahead."""
    return connection.execute(SQL["select_followed_lag"]).fetchall()


def is_unfilled(connection: Connection[Any]) -> bool:
    """Whether there are events that the newest of the views has not begun to take in."""
    return bool(connection.execute(SQL["select_unfilled"]).fetchall()[0]["unfilled"])
