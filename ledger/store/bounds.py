"""Bounds on what a session may wait for, and on how long its process may stand still while others wait for it."""

from typing import Any

from psycopg import Connection

from ledger.store.statements import SQL

HELD_SECONDS_MAX = 60  # what only its own kind waits for: a seal, a page of a followed view
STILL_SECONDS_MAX = 30


def bound_waits(
    session: Connection[Any],
    *,
    local: bool,
    lock_seconds: int = HELD_SECONDS_MAX,
    still_seconds: int = STILL_SECONDS_MAX,
) -> None:
    """Let no lock be waited for longer, and none be held standing still; in this transaction, or this session.

    Where the connection was given shorter bounds, these stand.
    """
    session.execute(SQL["bound_waits"], {"local": local, "lock": lock_seconds * 1_000, "still": still_seconds * 1_000})
