"""What a reader that tails the ledger must never see, checked from outside."""

from collections.abc import Callable
from typing import Any

import psycopg


def gaps_filled_later(connection: psycopg.Connection[Any], done: Callable[[], bool]) -> list[int]:
    """Tail the events until the writers are done; the positions that appeared behind the reader are returned."""
    seen: set[int] = set()
    last = 0
    while True:
        finished = done()
        for (position,) in connection.execute(
            "SELECT notification_id FROM ledger.stored_events WHERE notification_id > %s ORDER BY 1", (last,)
        ).fetchall():
            seen.add(position)
            last = position
        if finished:
            break
    stored = {position for (position,) in connection.execute("SELECT notification_id FROM ledger.stored_events")}
    return sorted(stored - seen)


def blocked(connection: psycopg.Connection[Any], pid: int) -> bool:
    """Whether the session of that server process waits for a lock."""
    rows = connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", (pid,))
    return bool(rows.fetchall())
