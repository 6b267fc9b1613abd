"""The views that are written with every append: what the store asks of them, inside its own transaction."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from ledger.domain.events import Placed, RecordedEvent
from ledger.errors import ViewBehind
from ledger.store.reading import read_in_turn, rows_in_turn
from ledger.store.replication import Durability
from ledger.store.standpoint import Known, check_standing
from ledger.store.views import CATCH_UP_EVENTS_MAX, Asked, Recalled, Seen, Session
from projections.inline import job_tree, recalled, running_jobs, told
from projections.inline.damaged import note_damaged
from projections.inline.job_status import JobStatus
from projections.inline.running_jobs import RunningJobs
from projections.inline.told import ToldRows
from projections.projection import Projection, project, track
from projections.statements import INLINE as SQL
from projections.statements import SHARED

# Each may read what those before it have taken in.
PROJECTIONS: tuple[Projection, ...] = (JobStatus(), RunningJobs(), ToldRows())
KeptByView = list[Any]  # what each of them keeps of a job
_NAMES = [projection.name for projection in PROJECTIONS]


class InlineViews:
    """The views as the store knows them (`ledger.store.views.Views`)."""

    def look(self, session: Session, known: Known) -> Asked[Seen]:
        """Ask how far the ledger and the views are; the answer brings these to its end, 1,000 events away at most."""
        cursor = session.execute(SQL["select_tracking"], {"known": int(known.cursor), "mark": known.mark})

        def catch_up() -> Seen:
            rows = cursor.fetchall()
            head = int(rows[0]["head"])
            check_standing(known.cursor, head, stands=rows[0]["stands"])
            if len(rows) < len(PROJECTIONS) and head:  # one is an epoch behind, or was never begun
                rows += session.execute(SQL["select_tracking_live"]).fetchall()
            reached = {}
            for row in rows:
                reached[row["view"]] = row["version"], row["position"]
            behind = False
            if not head:  # what is written later has a row to change
                track(session, [projection for projection in PROJECTIONS if projection.name not in reached], 0)
            for projection in PROJECTIONS:
                if reached.get(projection.name) == (projection.version, head):
                    continue
                position = position_of(projection, reached, head)
                if position < head:
                    behind = True
                    project_page(session, [projection], read_page(session, position, head - position))
            return Seen(head, behind, Durability(rows[0]["commit"], rows[0]["standbys"]))

        return catch_up

    def fold(self, kept: KeptByView | None, entry: Placed) -> KeptByView:
        """What the views keep of a job after one more of its events, each view its own."""
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

    def write(self, session: Session, kept: Iterable[KeptByView], entries: Sequence[Placed]) -> None:
        """Write what these events, which come next in the ledger, have changed in these streams."""
        of_each = zip(*kept, strict=True)
        before, position = entries[0].position - 1, entries[-1].position
        parameters: dict[str, Any] = {"views": _NAMES, "position": position, "before": before}
        statements = []
        for projection in PROJECTIONS:
            for statement, given in projection.writes(next(of_each, ()), before, entries).items():
                statements.append(statement)
                parameters |= given
        session.execute(_writing(tuple(statements)), parameters)

    # What is asked of one view, as `ledger.store.views.Views` says.
    told = staticmethod(told.find)
    some_children = staticmethod(job_tree.some_children)
    has_child = staticmethod(job_tree.has_child)
    open_children = staticmethod(job_tree.open_children)
    family = staticmethod(job_tree.family)
    unsettled = staticmethod(job_tree.unsettled_children)
    left_below = staticmethod(job_tree.left_below)
    bound = staticmethod(job_tree.bound)
    holders = staticmethod(running_jobs.holders)
    present = staticmethod(running_jobs.present)
    crowd = staticmethod(running_jobs.crowd)


@cache
def _writing(statements: tuple[str, ...]) -> str:
    """One statement for all that is written, since each costs an append a sending and a receiving."""
    written = "".join(f"{name} AS ({SQL[name]}), " for name in statements)
    return "WITH {}reached AS ({}) {}".format(written, SQL["select_end"], SHARED["move_tracking"])


def position_of(projection: Projection, reached: Mapping[str, tuple[int, int]], head: int) -> int:
    """How far a view is, by its name; raises `ViewBehind` where an append may not take in what is left."""
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


def project_page(
    session: Session,
    projections: Sequence[Projection],
    page: Sequence[RecordedEvent],
    sql: Mapping[str, str] = SQL,
    schema: str = "projections",
) -> None:
    """Let views take in the next events; they are written where `sql` and `schema` say."""
    for projection in projections:
        project(session, projection, page, sql)
        if "damaged" in projection.tables:
            note_damaged(session, page, sql)
    track(session, projections, page[-1].position, schema)


def read_page(session: Session, after: int, limit: int) -> list[RecordedEvent]:
    """The next events, each damaged one in its place."""
    return read_in_turn(session, rows_in_turn(session, after, limit))
