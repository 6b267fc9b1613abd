"""Builds the views anew from position 1, page by page beside the live ones, and puts them in their place.

Writes go on meanwhile; what they add at the end is taken in under the append lock, where the tables are swapped.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import sleep
from typing import Any

import psycopg

from ledger.asking.search import Tell, tell_nobody
from ledger.errors import ViewBehind
from ledger.store import append_lock, reading
from ledger.store.views import Session
from projections.inline.lag import lag
from projections.inline.views import PROJECTIONS, position_of, project_page, read_page
from projections.projection import Projection
from projections.statements import BESIDE
from projections.statements import INLINE as SQL

PAGE_EVENTS_MAX = 2_000
STILL_SECONDS_MAX = 60  # of a rebuild, between any two statements
# Readers queue behind a waiting swap, so it waits briefly at first; only beyond a second does a vacuum give way.
SWAP_WAITS_MS = (50, 100, 200, 400, 800) + (1_600,) * 15


def rebuild(
    session: Session,
    projections: Sequence[Projection] = PROJECTIONS,
    tell: Tell = tell_nobody,
) -> int:
    """Build views anew from position 1 and put them in the place of the live ones; the position is returned.

    The session must be idle and allowed to act as the projector. `tell` hears position and goal after each page.
    Interrupted, it leaves the live views as they are, and the next rebuild starts over. A second rebuild waits for the
    first. Raises `psycopg.errors.LockNotAvailable` where readers or a vacuum leave no moment to swap.
    """
    with alone(session):
        _build_beside(session, projections, tell)
        for wait in SWAP_WAITS_MS:
            _follow(session, projections, tell)
            try:
                return _swap(session, projections, wait)
            except psycopg.errors.LockNotAvailable:
                sleep(wait / 1_000)  # readers go first
        _follow(session, projections, tell)
        return _swap(session, projections, SWAP_WAITS_MS[-1])


def has_begun(session: Session) -> bool:
    """Whether any view was ever begun; if not, none of its rows are there, whatever the ledger has."""
    return bool(session.execute(SQL["select_tracking_live"]).fetchall())


def must_be_rebuilt(session: Session) -> bool:
    """Whether the views are not what an append goes on with: not begun, emptied, ahead, another version, far behind."""
    behind = lag(session)
    rows = session.execute(SQL["select_tracking_live"]).fetchall()
    head = reading.head(session)
    reached = {row["view"]: (row["version"], row["position"]) for row in rows}
    try:
        for projection in PROJECTIONS:
            position_of(projection, reached, head)
    except ViewBehind:
        return True
    begun = all(projection.name in reached for projection in PROJECTIONS)
    return bool(behind.ahead or behind.emptied) or (head > 0 and not begun)


def compare(session: Session, tell: Tell = tell_nobody) -> dict[str, int]:
    """How many rows of each view differ between the live one and one built beside it now; writes go on meanwhile."""
    with alone(session):
        _build_beside(session, PROJECTIONS, tell)
        with session.transaction(force_rollback=True):
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            _enter(session)
            while _fill(session, PROJECTIONS):
                pass
            found = {
                projection.name: sum(_count_differences(session, *table) for table in projection.tables.items())
                for projection in PROJECTIONS
            }
        with session.transaction():
            _enter(session)
            session.execute(SQL["clear_rebuild"])
        return found


@contextmanager
def alone(session: Session) -> Iterator[None]:
    """Hold the schema `projections_rebuild` for this session; it is let go with the session at the latest.

    The server ends the session of a process that stands still, so that nobody waits for that without an end.
    """
    with session.transaction():
        session.execute(SQL["take_rebuild_lock"])
        session.execute(SQL["bound_standing_still"], {"seconds": STILL_SECONDS_MAX})
    try:
        yield
    finally:
        if not session.closed:
            with session.transaction():
                session.execute(SQL["release_rebuild_lock"])
                session.execute(SQL["bound_standing_still"], {"seconds": 0})


def _build_beside(session: Session, projections: Sequence[Projection], tell: Tell) -> None:
    """Fill the schema `projections_rebuild` from position 1 to the end of the ledger."""
    tables = [table for projection in projections for table in projection.tables]
    with session.transaction():
        _enter(session)
        session.execute(SQL["begin_rebuild"], {"tables": tables})
    _follow(session, projections, tell)
    with session.transaction():
        _enter(session)
        session.execute(SQL["analyze_rebuild"])


def _follow(session: Session, projections: Sequence[Projection], tell: Tell) -> None:
    filled = True
    while filled:
        with session.transaction():
            _enter(session)
            filled = _fill(session, projections)
            position, goal = _position(session), reading.head(session)
        tell(position, goal)


def _enter(session: Session) -> None:
    session.execute(SQL["enter_rebuild"])


def _fill(session: Session, projections: Sequence[Projection]) -> bool:
    """Take in the next page; whether there was one."""
    page = read_page(session, _position(session), PAGE_EVENTS_MAX)
    if page:
        project_page(session, projections, page, BESIDE, "projections_rebuild")
    return bool(page)


def _position(session: Session) -> int:
    return int(session.execute(SQL["select_rebuilt"]).fetchall()[0]["position"])


def _swap(session: Session, projections: Sequence[Projection], wait_ms: int) -> int:
    with session.transaction():
        _enter(session)
        append_lock.take(session)
        session.execute(f"SET LOCAL synchronous_commit TO DEFAULT; SET LOCAL lock_timeout = {wait_ms:d}")
        while _fill(session, projections):
            pass
        position = _position(session)
        session.execute(SQL["swap_rebuild"])
    return position


def _count_differences(session: Session, table: str, key: str) -> int:
    statement = SQL["count_differences"].replace("compared_table", table).replace("compared_key", key)
    return int(session.execute(statement).fetchall()[0]["differences"])


def reached(session: Session) -> list[dict[str, Any]]:
    """Each view with its version, its position and its lag behind the ledger."""
    head = reading.head(session)
    rows = session.execute(SQL["select_tracking_live"]).fetchall()
    return [{**row, "lag": head - row["position"]} for row in rows]
