"""Runs the projections: in the transaction of every append, and from zero beside the live views."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import Connection, Cursor

from ledger.admission import Demand, Holder
from ledger.domain.events import RecordedEvent
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
PAGE_EVENTS_MAX = 1_000
SWAP_ATTEMPTS_MAX = 50
PROJECTIONS: tuple[Projection, ...] = (JobStatus(), RunningJobs())


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
        for projection in PROJECTIONS:
            projection.apply(cursor, events)
        _track(cursor, PROJECTIONS, events[-1].position)

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

    The connection must be allowed to act as the projector. Interrupted, it leaves the live views as they are, and the
    next rebuild starts over.
    """
    build_beside(connection)
    for attempt in range(SWAP_ATTEMPTS_MAX):
        try:
            return _swap(connection)
        except psycopg.errors.LockNotAvailable:
            if attempt == SWAP_ATTEMPTS_MAX - 1:
                raise
    raise AssertionError


def build_beside(connection: Connection[Any]) -> int:
    """Fill the schema `projections_rebuild` from position 1; the position that it reached is returned."""
    with connection.transaction(), connection.cursor() as cursor:
        _enter(cursor)
        cursor.execute(SQL["clear_rebuild"])
        for migration in load_migrations("projections_rebuild", "projections"):
            cursor.execute(migration.sql)
    position = 0
    while True:
        with connection.transaction(), connection.cursor() as cursor:
            _enter(cursor)
            reached = _fill(cursor, position)
        if reached == position:
            return position
        position = reached


def _enter(cursor: Cursor[Any]) -> None:
    cursor.execute(STORE_SQL["become_projector"])
    cursor.execute("SET LOCAL search_path = projections_rebuild, pg_catalog, pg_temp")


def _fill(cursor: Cursor[Any], position: int) -> int:
    page = _read_page(cursor, position, PAGE_EVENTS_MAX)
    if not page:
        return position
    for projection in PROJECTIONS:
        projection.apply(cursor, page)
    _track(cursor, PROJECTIONS, page[-1].position)
    return page[-1].position


def _swap(connection: Connection[Any]) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        _enter(cursor)
        cursor.execute("SET LOCAL lock_timeout = '500ms'")
        cursor.execute(STORE_SQL["take_append_lock"])
        position = max((row["position"] for row in cursor.execute(SQL["select_tracking"]).fetchall()), default=0)
        while (reached := _fill(cursor, position)) != position:
            position = reached
        cursor.execute(SQL["swap_rebuild"])
    return position


def compare(connection: Connection[Any]) -> dict[str, int]:
    """How many rows of each view differ between the live one and one built beside it now; writes wait meanwhile."""
    build_beside(connection)
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        _enter(cursor)
        cursor.execute(STORE_SQL["take_append_lock"])
        position = max((row["position"] for row in cursor.execute(SQL["select_tracking"]).fetchall()), default=0)
        while (reached := _fill(cursor, position)) != position:
            position = reached
        tables = [table for projection in PROJECTIONS for table in projection.tables]
        return {table: _count_differences(cursor, table) for table in tables}


def _count_differences(cursor: Cursor[Any], table: str) -> int:
    found = cursor.execute(SQL["count_differences"].replace("compared_table", table)).fetchall()
    return int(found[0]["differences"])


def reached(connection: Connection[Any]) -> list[dict[str, Any]]:
    """Each view with its version, its position and its lag behind the ledger."""
    head = connection.execute(STORE_SQL["select_head"]).fetchall()[0]["head"]
    rows = connection.execute(SQL["select_tracking_live"]).fetchall()
    return [{**row, "lag": head - row["position"]} for row in rows]
