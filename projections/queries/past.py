"""Answers as of a moment in the past: jobs folded from their own events, found by the views that keep what was when."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any

from pydantic_core import to_json

from ledger.asking.answers import BusyAnswer, JobFilter, JobView, Was
from ledger.asking.search import Tell, tell_nobody
from ledger.domain.entities import AGAINST, Access, EntityRef
from ledger.domain.events import RecordedEvent
from ledger.domain.moment import AsOf
from ledger.domain.states import Flag
from ledger.errors import ViewBehind
from ledger.store.connection import Connect
from ledger.store.moments import find_moment
from ledger.store.streams import read_page, read_stream
from ledger.store.views import Session
from projections.followed.activity import ITSELF, Activity, second
from projections.followed.follower import ViewFollower, reached
from projections.followed.interval_tree import path
from projections.inline.recalled import keep, recalling
from projections.queries.remembered import Memory, Place, Remembered, counted
from projections.statements import QUERIES as SQL

FOLD_JOBS_MAX = 500
FOLD_EVENTS_MAX = 128  # of each job at a time
LEVELS_OF_POSITIONS = 62
LEVELS_OF_SECONDS = 38  # up to the year 9999
VIEW = Activity()
_AT = recalling(SQL["select_kept_at"])


class PastQueries:
    """What the ledger asks of the past (`ledger.asking.answers.Recall`), over connections that the caller opens.

    The followed view `activity` catches up with the ledger only where it is behind the moment that is asked about.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._follower = ViewFollower(connect, [VIEW])

    def find(self, moment: int | datetime, *, occurred: bool) -> AsOf:
        """Where in the ledger a moment lies."""
        with self._connect() as connection:
            return find_moment(connection, moment, occurred=occurred)

    def catch_up(self, as_of: AsOf, tell: Tell = tell_nobody) -> None:
        """Bring what is asked about entities and trees up to the moment; `tell` hears position and goal on the way."""
        with self._connect() as connection:
            (view,) = reached(connection, [VIEW])
        if view["position"] < as_of.position:
            self._follower.catch_up(tell)

    def history(self, as_of: AsOf, job: str, after: int) -> Iterator[RecordedEvent]:
        """The events of a job after a position that count at the moment, in order, read page by page."""
        name = f"job:{job}"
        if not as_of.occurred:
            return read_stream(self._connect, name, after, as_of.position)
        entries = counted(read_stream(self._connect, name, until=as_of.position), as_of)
        return dropwhile(lambda entry: entry.position <= after, entries)

    def job(self, as_of: AsOf, job: str) -> JobView | None:
        """A job as the views showed it; None where it was not on record."""
        remembered = self._remember(as_of, [job]).get(job)
        return remembered.view if remembered else None

    def tree(self, as_of: AsOf, root: str) -> list[JobView]:
        """A job and all that was below it, parents first; empty where it was not on record."""
        rows = self._ask("select_tree_at", as_of, {"job": root, "position": as_of.position})
        remembered = self._remember(as_of, [row["job"] for row in rows])
        level = [remembered[root].view] if root in remembered else []
        below: dict[str | None, list[JobView]] = {}
        for job in sorted((job.view for job in remembered.values() if job.view.job != root), key=_planned):
            below.setdefault(job.parent, []).append(job)
        tree: list[JobView] = []
        while level:
            tree += level
            level = sorted((child for job in level for child in below.pop(job.job, ())), key=_planned)
        return tree

    def busy(
        self, as_of: AsOf, entities: Sequence[EntityRef], would: Access | None = None, besides: str | None = None
    ) -> list[BusyAnswer] | None:
        """The jobs that were active on each entity, as `ledger.asking.answers.Queries.busy` tells those that are."""
        # The view `activity` says which jobs may have held an entity then, and not which did: it knows no access, and
        # an entity may be held in several roles. Each candidate is folded from its own events, and what it held is
        # asked of that. The tree that is left out is told by its root, which never changes once a job is planned.
        places = [(entity.type, entity.id) for entity in entities]
        as_of, rows = self._candidates(as_of, places)
        asked = {row["job"] for row in rows} | ({besides} if besides is not None else set())
        remembered = self._remember(as_of, sorted(asked))
        if besides is not None and besides not in remembered:
            return None
        root = remembered[besides].view.root if besides is not None else None
        accesses = AGAINST[would] if would else tuple(Access)
        on: dict[Place, list[tuple[int, int, JobView]]] = {}
        for row in rows:
            job = remembered.get(row["job"])
            place = (row["entity_type"], row["entity_id"])
            began = _began(job, place, accesses) if job else None
            if job is not None and began is not None and job.view.root != root:
                on.setdefault(place, []).append((began, job.view.planned_position, job.view))
        answers = {place: [view for *_, view in sorted(held, key=lambda each: each[:2])] for place, held in on.items()}
        return [
            BusyAnswer(entity, answers.get(place, []), as_of.position, would)
            for entity, place in zip(entities, places, strict=True)
        ]

    def active(
        self, as_of: AsOf, which: JobFilter, *, before: int | None = None, limit: int | None = None
    ) -> Iterator[JobView]:
        """The jobs that were active, the last planned first, from before a planned position."""
        as_of, rows = self._candidates(as_of, [ITSELF])
        begun = sorted({row["from_position"]: row["job"] for row in rows}.items(), reverse=True)
        left = [job for position, job in begun if before is None or position < before]
        yielded = 0
        for start in range(0, len(left), FOLD_JOBS_MAX):
            page = left[start : start + FOLD_JOBS_MAX]
            remembered = self._remember(as_of, page)
            for job in page:
                if yielded == limit:
                    return
                if job in remembered and remembered[job].active and self._fits(remembered[job], which, as_of):
                    yielded += 1
                    yield remembered[job].view

    def told_between(self, earlier: AsOf, later: AsOf) -> Iterator[tuple[Was | None, Was]]:
        """Each job of which something was told after one moment and up to another, as it was at both."""
        parameters = {"after": earlier.position, "until": later.position}
        with self._connect() as connection:
            rows = connection.execute(SQL["select_jobs_told_between"], parameters).fetchall()
        for start in range(0, len(rows), FOLD_JOBS_MAX):
            jobs = [row["job"] for row in rows[start : start + FOLD_JOBS_MAX]]
            before, after = self._remember(earlier, jobs), self._remember(later, jobs)
            for job in after:
                yield before[job].was() if job in before else None, after[job].was()

    def _remember(self, as_of: AsOf, jobs: Sequence[str]) -> dict[str, Remembered]:
        """Those of these jobs that were on record, each as it was."""
        remembered_jobs: dict[str, Remembered] = {}
        with self._connect() as connection:
            for start in range(0, len(jobs), FOLD_JOBS_MAX):
                memories = {job: Memory(as_of) for job in jobs[start : start + FOLD_JOBS_MAX]}
                _read(connection, memories, as_of)
                pairs = ((job, memory.remembered()) for job, memory in memories.items())
                remembered_jobs |= {job: remembered for job, remembered in pairs if remembered}
        return remembered_jobs

    def _candidates(self, as_of: AsOf, places: Sequence[Place]) -> tuple[AsOf, list[Mapping[str, Any]]]:
        """The jobs that may have been active on each place, and the moment as of which the view tells them."""
        # An interval that has ended is found under its fork, which is on the path of every point in it
        # (`interval_tree`); one that is open under its entity alone.
        types, ids = [place[0] for place in places], [place[1] for place in places]
        asked: dict[str, Any] = {"types": types, "ids": ids}
        if as_of.occurred:
            upto, beyond = path(second(as_of.at), LEVELS_OF_SECONDS)
            rows = self._ask("select_active_at_time", as_of, asked | {"at": as_of.at, "upto": upto, "beyond": beyond})
            as_of = AsOf(rows[0]["reached"], as_of.at, occurred=True)
        else:
            position = as_of.position
            upto, beyond = path(position, LEVELS_OF_POSITIONS)
            more = {"position": position, "upto": upto, "beyond": beyond}
            rows = self._ask("select_active_at_position", as_of, asked | more)
        return as_of, [row for row in rows if row["job"] is not None]

    def _ask(self, statement: str, as_of: AsOf, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The rows that a followed view has, once that is not behind the moment."""
        rows = self._rows(statement, parameters)
        if rows[0]["reached"] < as_of.position:
            self._follower.catch_up()
            rows = self._rows(statement, parameters)
        if rows[0]["reached"] < as_of.position:
            raise ViewBehind(
                f"The view activity must be at position {as_of.position:,} for this, and it is at "
                f"{rows[0]['reached']:,}; let somebody ask who may write the views.",
                view="activity",
                position=rows[0]["reached"],
                head=as_of.position,
            )
        return rows

    def _fits(self, job: Remembered, which: JobFilter, as_of: AsOf) -> bool:
        return _fits(job, which, as_of) and (which.entity is None or self._touched(job, which.entity))

    def _touched(self, job: Remembered, entity: EntityRef) -> bool:
        if (entity.type, entity.id) in job.places:
            return True
        asked = {"job": job.view.job, "entity_type": entity.type, "entity_id": entity.id, "position": job.snapshot}
        return job.snapshot > 0 and bool(self._rows("select_touched_until", asked)[0]["touched"])

    def _rows(self, statement: str, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        with self._connect() as connection:
            return list(connection.execute(SQL[statement], parameters).fetchall())


def _read(connection: Session, memories: Mapping[str, Memory], as_of: AsOf) -> None:
    """Let jobs come together, page by page; where one page does not do, from the last snapshot of how they were."""
    more = _read_page(connection, memories, memories, as_of)
    if more and not as_of.occurred:
        asked = {"jobs": to_json(list(more)).decode(), "position": as_of.position}
        for row in connection.execute(_AT, asked).fetchall():
            status, stays, _ = keep(row)
            memories[stays.job].begin(status, stays)
    while more:
        more = _read_page(connection, memories, more, as_of)


def _read_page(
    connection: Session, memories: Mapping[str, Memory], jobs: Iterable[str], as_of: AsOf
) -> Collection[str]:
    """Take in the next page of jobs; those of which more counts are returned."""
    after = {f"job:{job}": memories[job].version for job in jobs}
    counts = Counter[str]()
    for entry in read_page(connection, after, FOLD_EVENTS_MAX):
        if entry.position <= as_of.position:
            memories[entry.event.job].take(entry)
            counts[entry.event.job] += 1
    return {job for job, count in counts.items() if count == FOLD_EVENTS_MAX}


def _planned(job: JobView) -> int:
    return job.planned_position


def _began(job: Remembered, place: Place, accesses: Sequence[Access]) -> int | None:
    """The position at which a job began to hold an entity with one of these accesses, if it did."""
    held = (row for row in job.held if _on(row, place) and row["access"] in accesses)
    return min((row["from_position"] for row in held), default=None)


def _fits(job: Remembered, which: JobFilter, as_of: AsOf) -> bool:
    view, silent_for = job.view, which.silent_for or timedelta(0)
    return (
        which.phase in (None, view.phase)
        and which.outcome in (None, view.outcome)
        and which.type in (None, view.type)
        and which.root in (None, view.root)
        and which.parent in (None, view.parent)
        and (which.expired or Flag.EXPIRED not in view.flags)
        and (not which.overdue or Flag.OVERDUE in view.flags)
        and (which.silent_for is None or view.last_at < as_of.at - silent_for)
    )


def _on(row: Mapping[str, Any], place: Place) -> bool:
    return (row["entity_type"], row["entity_id"]) == place
