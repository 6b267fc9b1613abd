"""Runs the projections: in the transaction of every append, and from zero beside the live views."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import sleep
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import dict_row

from ledger.admission import Demand, Holder
from ledger.domain.events import Limit, RecordedEvent
from ledger.domain.quorum import Child
from ledger.errors import ViewBehind
from ledger.store.mapper import read_recorded
from ledger.store.migrate import load_migrations
from ledger.store.statements import SQL as STORE_SQL
from projections import job_tree, running_jobs
from projections.job_status import JobStatus
from projections.projection import SQL, Projection
from projections.running_jobs import RunningJobs

CATCH_UP_EVENTS_MAX = 1_000
PAGE_EVENTS_MAX = 2_000
# Readers queue behind a waiting swap, so it waits briefly at first; only beyond a second does a vacuum give way.
SWAP_WAITS_MS = (50, 100, 200, 400, 800) + (1_600,) * 15
PROJECTIONS: tuple[Projection, ...] = (JobStatus(), RunningJobs())  # each may read what those before it have taken in


class InlineViews:
    """The views as the store knows them (`ledger.store.views.Views`)."""

    def catch_up(self, cursor: Cursor[Any], head: int) -> None:
        """Bring every view to `head`; raises `ViewBehind` where one lacks more than 1,000 events."""
        cursor.execute(SQL["select_tracking"])
        reached = {row["view"]: (row["version"], row["position"]) for row in cursor.fetchall()}
        for projection in PROJECTIONS:
            version, position = reached.get(projection.name, (projection.version, 0))
            if version != projection.version or head - position > CATCH_UP_EVENTS_MAX:
                raise ViewBehind(
                    f"The view {projection.name} must be near position {head:,}, and it is at {position:,} in version "
                    f"{version}; run jobledger projections rebuild.",
                    view=projection.name,
                    position=position,
                    head=head,
                )
            if position < head:
                projection.apply(cursor, _read_page(cursor, position, head - position))
                _track(cursor, [projection], head)

    def apply(self, cursor: Cursor[Any], events: Sequence[RecordedEvent]) -> None:
        """Project the events of this append."""
        _project(cursor, events)

    def children(self, cursor: Cursor[Any], parents: Iterable[str]) -> Mapping[str, list[Child]]:
        """The children of each parent in the order of planning."""
        return job_tree.children(cursor, parents)

    def descendants(self, cursor: Cursor[Any], job: str) -> list[str]:
        """The jobs below a job, parents first."""
        return job_tree.descendants(cursor, job)

    def bound(self, cursor: Cursor[Any], names: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The job of each (executor, external id) that is bound."""
        return job_tree.bound(cursor, names)

    def holders(self, cursor: Cursor[Any], demands: Iterable[Demand]) -> list[Holder]:
        """The active jobs that stand against a demand, their own tree included."""
        return running_jobs.holders(cursor, demands)

    def present(self, cursor: Cursor[Any], limits: Iterable[Limit]) -> list[Holder]:
        """The active jobs that count against limits, whatever their access."""
        return running_jobs.present(cursor, limits)


def _project(cursor: Cursor[Any], events: Sequence[RecordedEvent]) -> None:
    for projection in PROJECTIONS:
        projection.apply(cursor, events)
    _track(cursor, PROJECTIONS, events[-1].position)


def _read_page(cursor: Cursor[Any], after: int, limit: int) -> list[RecordedEvent]:
    cursor.execute(STORE_SQL["select_page"], {"after": after, "limit": limit})
    return [read_recorded(row) for row in cursor.fetchall()]


def _track(cursor: Cursor[Any], projections: Sequence[Projection], position: int) -> None:
    parameters = {
        "views": [projection.name for projection in projections],
        "versions": [projection.version for projection in projections],
        "position": position,
    }
    cursor.execute(SQL["upsert_tracking"], parameters)


# --- Rebuild: into a schema of its own, page by page while writes go on; the rest under the append lock; then swap.


def rebuild(connection: Connection[Any]) -> int:
    """Build all views anew from position 1 and put them in the place of the live ones; the position is returned.

    The connection must be idle and allowed to act as the projector. Interrupted, it leaves the live views as they are,
    and the next rebuild starts over. A second rebuild waits for the first. Raises `psycopg.errors.LockNotAvailable`
    where readers or a vacuum leave no moment to swap.
    """
    with _alone(connection):
        build_beside(connection)
        for wait in SWAP_WAITS_MS:
            _follow(connection)
            try:
                return _swap(connection, wait)
            except psycopg.errors.LockNotAvailable:
                sleep(wait / 1_000)  # readers go first
        _follow(connection)
        return _swap(connection, SWAP_WAITS_MS[-1])


def compare(connection: Connection[Any]) -> dict[str, int]:
    """How many rows of each view differ between the live one and one built beside it now; writes go on meanwhile."""
    with _alone(connection):
        build_beside(connection)
        with connection.transaction(force_rollback=True), connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            _enter(cursor)
            while _fill(cursor):
                pass
            tables = [table for projection in PROJECTIONS for table in projection.tables.items()]
            found = {table: _count_differences(cursor, table, key) for table, key in tables}
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            _enter(cursor)
            cursor.execute(SQL["clear_rebuild"])
        return found


@contextmanager
def _alone(connection: Connection[Any]) -> Iterator[None]:
    """Hold the schema `projections_rebuild` for this session; it is let go with the session at the latest."""
    with connection.transaction():
        connection.execute(SQL["take_rebuild_lock"])
    try:
        yield
    finally:
        if not connection.closed:
            with connection.transaction():
                connection.execute(SQL["release_rebuild_lock"])


def build_beside(connection: Connection[Any]) -> None:
    """Fill the schema `projections_rebuild` from position 1 to the end of the ledger."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        _enter(cursor)
        cursor.execute(SQL["clear_rebuild"])
        for migration in load_migrations("projections_rebuild", "projections"):
            cursor.execute(migration.sql)
    _follow(connection)
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        _enter(cursor)
        cursor.execute(SQL["analyze_rebuild"])


def _follow(connection: Connection[Any]) -> None:
    filled = True
    while filled:
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            _enter(cursor)
            filled = _fill(cursor)


def _enter(cursor: Cursor[Any]) -> None:
    cursor.execute(STORE_SQL["become_projector"])
    cursor.execute(SQL["enter_rebuild"])


def _fill(cursor: Cursor[Any]) -> bool:
    """Take in the next page; whether there was one."""
    page = _read_page(cursor, _position(cursor), PAGE_EVENTS_MAX)
    if page:
        _project(cursor, page)
    return bool(page)


def _position(cursor: Cursor[Any]) -> int:
    return int(cursor.execute(SQL["select_position"]).fetchall()[0]["position"])


def _swap(connection: Connection[Any], wait_ms: int) -> int:
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        _enter(cursor)
        cursor.execute(f"SET LOCAL synchronous_commit TO DEFAULT; SET LOCAL lock_timeout = {wait_ms:d}")
        cursor.execute(STORE_SQL["take_append_lock"])
        while _fill(cursor):
            pass
        position = _position(cursor)
        cursor.execute(SQL["swap_rebuild"])
    return position


def _count_differences(cursor: Cursor[Any], table: str, key: str) -> int:
    statement = SQL["count_differences"].replace("compared_table", table).replace("compared_key", key)
    return int(cursor.execute(statement).fetchall()[0]["differences"])


def reached(connection: Connection[Any]) -> list[dict[str, Any]]:
    """Each view with its version, its position and its lag behind the ledger."""
    head = connection.execute(STORE_SQL["select_head"]).fetchall()[0]["head"]
    rows = connection.execute(SQL["select_tracking_live"]).fetchall()
    return [{**row, "lag": head - row["position"]} for row in rows]
