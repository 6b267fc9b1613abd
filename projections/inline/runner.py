"""Runs the projections: in the transaction of every append, and from zero beside the live views."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from time import sleep
from typing import Any

import psycopg

from ledger.asking.search import Tell, tell_nobody
from ledger.domain.admission import Demand, Held, Holder
from ledger.domain.events import Event, Placed, RecordedEvent
from ledger.domain.quorum import Child, Family
from ledger.errors import ViewBehind
from ledger.store import append_lock, reading
from ledger.store.reading import read_in_turn, rows_in_turn
from ledger.store.replication import Durability
from ledger.store.standpoint import Known, check_standing
from ledger.store.views import CATCH_UP_EVENTS_MAX, Asked, Counted, Crowd, Recalled, Seen, Session, Sought
from projections.inline import job_tree, recalled, running_jobs, told
from projections.inline.damaged import note_damaged
from projections.inline.job_status import JobStatus
from projections.inline.lag import lag
from projections.inline.running_jobs import RunningJobs
from projections.inline.told import ToldRows
from projections.projection import Projection, project, track, versions
from projections.statements import BESIDE, SHARED
from projections.statements import INLINE as SQL

PAGE_EVENTS_MAX = 2_000
STILL_SECONDS_MAX = 60  # of a rebuild, between any two statements
# Readers queue behind a waiting swap, so it waits briefly at first; only beyond a second does a vacuum give way.
SWAP_WAITS_MS = (50, 100, 200, 400, 800) + (1_600,) * 15
# Each may read what those before it have taken in.
PROJECTIONS: tuple[Projection, ...] = (JobStatus(), RunningJobs(), ToldRows())
Kept = list[Any]  # what each of them keeps of a job
_VERSIONS = versions(PROJECTIONS)


class InlineViews:
    """The views as the store knows them (`ledger.store.views.Views`)."""

    def look(self, session: Session, known: Known) -> Asked[Seen]:
        """Ask how far the ledger and the views are; the answer brings these to its end, 1,000 events away at most."""
        cursor = session.execute(SQL["select_tracking"], {"known": int(known.cursor), "mark": known.mark})

        def catch_up() -> Seen:
            rows = cursor.fetchall()
            head = int(rows[0]["head"])
            check_standing(known.cursor, head, stands=rows[0]["stands"])
            reached = {row["view"]: (row["version"], row["position"]) for row in rows}
            behind = False
            for projection in PROJECTIONS:
                position = _position_of(projection, reached, head)
                if position < head:
                    behind = True
                    _project(session, [projection], _read_page(session, position, head - position))
            return Seen(head, behind, Durability(rows[0]["commit"], rows[0]["standbys"]))

        return catch_up

    def fold(self, kept: Kept | None, entry: Placed) -> Kept:
        """What the views keep of a stream after one more of its events, each view its own; nothing of an owner's."""
        if not entry.event.of_job:
            return []
        kept = kept or [None] * len(PROJECTIONS)
        for place, projection in enumerate(PROJECTIONS):
            kept[place] = projection.fold(kept[place], entry)
        return kept

    def recall(self, session: Session, jobs: Iterable[str]) -> Asked[Mapping[str, Recalled]]:
        """These jobs without their events, as far as they are on record."""
        asked = recalled.recall(session, jobs)
        return lambda: {
            name: Recalled(job, [kept.status, kept.stays, None], kept.size) for name, (job, kept) in asked().items()
        }

    def told(self, session: Session, sought: Iterable[Sought]) -> Asked[Mapping[Sought, list[Event]]]:
        """The events of each stream, beyond its first 16, that have a mark, in order."""
        return told.find(session, sought)

    def write(self, session: Session, kept: Iterable[Kept], entries: Sequence[Placed]) -> None:
        """Write what these events, which come next in the ledger, have changed in these streams."""
        of_each = zip(*(each for each in kept if each), strict=True)
        before, position = entries[0].position - 1, entries[-1].position
        parameters: dict[str, Any] = {"versions": _VERSIONS, "position": position}
        statements = []
        for projection in PROJECTIONS:
            for statement, given in projection.writes(next(of_each, ()), before, entries).items():
                statements.append(statement)
                parameters |= given
        session.execute(_writing(tuple(statements)), parameters)

    def some_children(
        self, session: Session, parents: Iterable[str], at_most: int
    ) -> Asked[Mapping[str, Sequence[Child]]]:
        """So many children of each parent, in the order of planning, those that are open before others are left out."""
        return job_tree.some_children(session, parents, at_most)

    def has_child(self, session: Session, parent: str) -> bool:
        """Whether a job has a child that was not refused."""
        return job_tree.has_child(session, parent)

    def open_children(self, session: Session, parent: str, at_most: int) -> list[str]:
        """So many children that are not closed, in any order."""
        return job_tree.open_children(session, parent, at_most)

    def family(self, session: Session, parent: str, spoken_of: Sequence[str]) -> Family:
        """The children of a parent of many, as far as they count for it; all of those that are spoken of are told."""
        return job_tree.family(session, parent, spoken_of)

    def unsettled(self, session: Session, parent: str, besides: Sequence[str]) -> bool:
        """As `ledger.domain.quorum.unsettled_beside` says, of a parent of many."""
        return job_tree.unsettled_children(session, parent, besides)

    def left_below(
        self, session: Session, jobs: Iterable[str], event: str, at_most: int | None = None
    ) -> Asked[Mapping[str, list[str]]]:
        """The jobs below each of these jobs of which an event about a whole tree is yet to be recorded."""
        return job_tree.left_below(session, jobs, event, at_most)

    def bound(self, session: Session, names: Iterable[tuple[str, str]]) -> Asked[Mapping[tuple[str, str], str]]:
        """The job of each (executor, external id) that is bound."""
        return job_tree.bound(session, names)

    def holders(
        self, session: Session, demands: Iterable[Demand], at_most: int
    ) -> Asked[Mapping[Demand, Sequence[Holder]]]:
        """The active jobs that stand against each demand, its own tree included, so many with each access."""
        return running_jobs.holders(session, demands, at_most)

    def present(
        self, session: Session, counted: Iterable[Counted], at_most: int
    ) -> Asked[Mapping[Counted, Sequence[Holder]]]:
        """The active jobs on each entity with a limit, so many of them, whatever their type and access."""
        return running_jobs.present(session, counted, at_most)

    def crowd(self, session: Session, crowd: Crowd, spoken_of: Sequence[str]) -> Held:
        """The oldest of many holders, beside them all that are spoken of, and how many others there are."""
        return running_jobs.crowd(session, crowd, spoken_of)


@cache
def _writing(statements: tuple[str, ...]) -> str:
    """One statement for all that is written, since each costs an append a sending and a receiving."""
    written = "".join(f"{name} AS ({SQL[name]}), " for name in statements)
    return "WITH {}reached AS ({}), {}".format(written, SQL["select_end"], SHARED["upsert_tracking"])


def _position_of(projection: Projection, reached: Mapping[str, tuple[int, int]], head: int) -> int:
    version, position = reached.get(projection.name, (projection.version, 0))
    if version != projection.version or head - position > CATCH_UP_EVENTS_MAX:
        raise ViewBehind(
            f"The view {projection.name} must be near position {head:,}, and it is at {position:,} in version "
            f"{version}; run jobledger projections rebuild.",
            view=projection.name,
            position=position,
            head=head,
        )
    return position


def _project(
    session: Session,
    projections: Sequence[Projection],
    page: Sequence[RecordedEvent],
    sql: Mapping[str, str] = SQL,
    schema: str = "projections",
) -> None:
    for projection in projections:
        project(session, projection, page, sql)
        if "damaged" in projection.tables:
            note_damaged(session, page, sql)
    track(session, projections, page[-1].position, schema)


def _read_page(session: Session, after: int, limit: int) -> list[RecordedEvent]:
    return read_in_turn(session, rows_in_turn(session, after, limit))


# --- Rebuild: into a schema of its own, page by page while writes go on; the rest under the append lock; then swap.


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
            _position_of(projection, reached, head)
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
    page = _read_page(session, _position(session), PAGE_EVENTS_MAX)
    if page:
        _project(session, projections, page, BESIDE, "projections_rebuild")
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
