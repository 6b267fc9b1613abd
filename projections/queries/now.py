"""Answers from the views, each from one snapshot of the database, and so from one statement where that is enough.

A list has one for each page, and the tree that `busy` leaves out, which never changes, is looked up before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from psycopg import ClientCursor, Connection
from psycopg.rows import dict_row
from pydantic_core import from_json, to_json

from ledger.asking.answers import BusyAnswer, JobFilter, Jobs, JobView, Name, RollUp, TreeExpiry, Unsettled
from ledger.domain.entities import AGAINST, Access, EntityRef
from ledger.domain.epoch import OwnerEpoch
from ledger.domain.retention import Retention
from ledger.errors import ViewBehind
from ledger.store.connection import Connect
from projections.document import NOT_WRITTEN_BY_US, is_whole, unreadable, view
from projections.inline import job_expiry, job_tree
from projections.statements import QUERIES as SQL

PAGE_JOBS_MAX = 500
_ANY_ACCESS = ",".join(Access)
ViewRow = Mapping[str, Any]


def _reading(name: str, source: str, statement: str) -> str:
    """A statement with the source that it reads from by a name."""
    return f"WITH {name} AS (\n{source}\n)\n{statement}"


# About one entity, as most ask, values take a tenth less time than a list.
BUSY_ON_ONE = _reading("asked (type, id)", SQL["values_asked"], SQL["select_busy"])
BUSY_ON_SEVERAL = _reading("asked (type, id)", SQL["select_asked"], SQL["select_busy"])
LIST_ALL = _reading("status", SQL["select_all"], SQL["select_jobs"])
LIST_TOUCHING = _reading("status", SQL["select_touching"], SQL["select_jobs"])


class ViewQueries:
    """The queries of the ledger (`ledger.asking.answers.Queries`), over connections that the caller opens."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    def job(self, job: str) -> JobView | None:
        """A job, expired or not; None where no event speaks of it."""
        jobs = self._views(SQL["select_job"], {"job": job})
        return jobs[0] if jobs else None

    def jobs(self, which: JobFilter, *, before: int | None = None, limit: int | None = None) -> Iterator[JobView]:
        """Jobs, the last planned first, from before a planned position; read page by page."""
        left = limit
        while left is None or left > 0:
            size = PAGE_JOBS_MAX if left is None else min(left, PAGE_JOBS_MAX)
            page = self._page(LIST_TOUCHING if which.entity else LIST_ALL, _parameters(which, before, size))
            yield from page
            if len(page) < size:
                return
            before = page[-1].planned_position
            left = None if left is None else left - size

    def tree(self, root: str) -> list[JobView]:
        """A job and all below it, parents first."""
        return self._views(SQL["select_tree"], {"job": root})

    def due_to_close(self, limit: int) -> list[JobView]:
        """The parents whose children have all closed and whose end action an owner has yet to claim, oldest first."""
        return self._views(SQL["select_due_to_close"], {"limit": limit})

    def roll_up(self, job: str) -> RollUp | None:
        """How far a tree is, from the job down; None where no event speaks of the job."""
        with self._connect() as connection, connection.cursor() as cursor:
            sums = job_tree.roll_up(cursor, job)
            if sums is None:
                _look_begun(connection)
        return sums

    def busy(
        self, entities: Sequence[EntityRef], would: Access | None = None, besides: str | None = None
    ) -> list[BusyAnswer] | None:
        """The active jobs on each entity that this access would meet, outside the tree of the job `besides`."""
        accesses = ",".join(AGAINST[would]) if would else _ANY_ACCESS
        with self._connect() as connection:
            root = job_tree.root(connection, besides) if besides is not None else None
            if besides is not None and root is None:
                return None
            statement, asked = _asked(entities)
            parameters = {**asked, "accesses": f"{{{accesses}}}", "besides": root}
            rows = connection.execute(statement, parameters).fetchall()
            position = rows[0]["reached"]
            if not position:
                _look_begun(connection)
        on = _by_entity(row for row in rows if row["job"] is not None)
        pairs = ((entity, on.get((entity.type, entity.id), {})) for entity in entities)
        return [BusyAnswer(entity, Jobs([*jobs.values()], _read), position, would) for entity, jobs in pairs]

    def expiry(
        self, policy: Retention, now: datetime, limit: int | None = None, *, due: bool = False
    ) -> list[TreeExpiry]:
        """Trees in the live views, or those of them that are due, those that leave first in front."""
        with self._connect() as connection, connection.cursor() as cursor:
            return job_expiry.forecast(cursor, policy, now, limit, due=due)

    def owners(self) -> list[tuple[OwnerEpoch, int]]:
        """The owners of active jobs, each epoch (0 where none was said) with the number of its jobs."""
        with self._connect() as connection:
            rows = connection.execute(SQL["select_owners"]).fetchall()
        return [(OwnerEpoch(row["owner"], row["epoch"]), row["jobs"]) for row in rows]

    def newest_epoch(self, owner: str) -> int | None:
        """The newest epoch in which an owner ever had a job, 0 where none was said; None where it never had one."""
        with self._connect() as connection:
            epoch: int | None = connection.execute(SQL["select_newest_epoch"], {"owner": owner}).fetchall()[0]["epoch"]
        return epoch

    def unsettled(self, names: Sequence[Name]) -> Unsettled:
        """Every active job, and those that bear one of these names, with their children, from one snapshot."""
        with self._connect() as connection:
            return job_tree.unsettled(connection, names)

    def position(self) -> int:
        """The position up to which the views are true."""
        with self._connect() as connection:
            position = job_tree.position(connection)
            if not position:
                _look_begun(connection)
        return position

    def _views(self, statement: str, parameters: Mapping[str, Any]) -> list[JobView]:
        # One statement, so that the answer is from one snapshot, and that is taken after any swap of the views.
        with self._connect() as connection:
            rows = connection.execute(statement, parameters).fetchall()
            if not rows:
                _look_begun(connection)
            return [_read(row) for row in rows]

    def _page(self, statement: str, parameters: Mapping[str, Any]) -> list[JobView]:
        # Which index serves depends on which filters are set, so the planner must see them.
        with self._connect() as connection, ClientCursor(connection, row_factory=dict_row) as cursor:
            rows = cursor.execute(statement, parameters).fetchall()
            if not rows:
                _look_begun(connection)
            return [_read(row) for row in rows]


def _look_begun(connection: Connection[Any]) -> None:
    """Raise `ViewBehind` where nothing was found since the views are yet to be filled, which would be no answer."""
    for row in connection.execute(SQL["select_unbegun"]).fetchall():
        head = row["head"]
        raise ViewBehind(
            f"The views must be near position {head:,}, and are not begun; run jobledger projections rebuild.",
            view="job_status",
            position=0,
            head=head,
        )


def _asked(entities: Sequence[EntityRef]) -> tuple[str, dict[str, str]]:
    """The statement that asks about these entities, and its parameters for them."""
    if len(entities) == 1:
        return BUSY_ON_ONE, {"type": entities[0].type, "id": entities[0].id}
    asked = to_json([{"type": entity.type, "id": entity.id} for entity in entities]).decode()
    return BUSY_ON_SEVERAL, {"entities": asked}


def _by_entity(rows: Iterable[ViewRow]) -> dict[tuple[str, str], dict[str, ViewRow]]:
    """The rows of the jobs on each entity, oldest first; one that holds it in several roles comes once."""
    on: dict[tuple[str, str], dict[str, ViewRow]] = {}
    for row in sorted(rows, key=itemgetter("from_position")):
        on.setdefault((row["entity_type"], row["entity_id"]), {}).setdefault(row["job"], row)
    return on


def _parameters(which: JobFilter, before: int | None, limit: int) -> dict[str, Any]:
    return {
        "phase": which.phase,
        "outcome": which.outcome,
        "type": which.type,
        "root": which.root,
        "parent": which.parent,
        "expired": which.expired,
        "active": which.active or which.silent_for is not None,
        "overdue": which.overdue,
        "silent_for": which.silent_for,
        "entity_type": which.entity.type if which.entity else None,
        "entity_id": which.entity.id if which.entity else None,
        "before": before,
        "limit": limit,
    }


def _read(row: ViewRow) -> JobView:
    """A job from its row in the view `job_status` and the time of asking; of a row that is none, what says so."""
    try:
        job = view(from_json(row["document"]), from_json(row["entities"]), row["asked_at"])
    except NOT_WRITTEN_BY_US:
        job = None
    return job if job is not None and is_whole(job, row["job"]) else unreadable(row)
