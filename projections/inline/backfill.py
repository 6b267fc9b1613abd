"""Fills what this release adds to the views of a ledger that is older, page by page beside all appends.

The views that were there go on meanwhile; those who append wait for none of it, but a process of this release that
appends before it is done may be told `ViewBehind`. Killed, it goes on with the next migration.
"""

from collections.abc import Iterator
from contextlib import suppress

from ledger.asking.search import Tell, tell_nobody
from ledger.domain.content import SHORT_EVENTS_MAX
from ledger.domain.events import RecordedEvent
from ledger.errors import LedgerError
from ledger.store.mapper import read_recorded
from ledger.store.reading import head
from ledger.store.streams import PAGE_EVENTS_MAX, read_page
from ledger.store.views import Session
from projections.inline.job_status import SNAPSHOT_EVENTS, Status, fold, write_snapshots
from projections.inline.lag import is_unfilled
from projections.inline.rebuild import alone
from projections.inline.told import ToldRows
from projections.projection import track
from projections.statements import INLINE as SQL

PAGE_POSITIONS = 10_000
VIEW = ToldRows()


def fill(session: Session, tell: Tell = tell_nobody) -> bool:
    """Fill the view `told`, and the snapshots, where they are new to the ledger; False where they are not.

    The session must be idle and allowed to act as the projector. `tell` hears position and goal after each page. A
    second one waits for the first. A row that is not an event of this release is left out.
    """
    if not is_unfilled(session):
        return False
    with alone(session):
        if not is_unfilled(session):
            return False
        for row in session.execute(SQL["select_long_jobs"], {"version": SNAPSHOT_EVENTS}).fetchall():
            with suppress(LedgerError):  # a stream that cannot be read has none
                _fill_snapshots(session, row["job"])
        position, head = 0, 1
        while position < head:
            position, head = _fill_told(session, position)
            tell(position, head)
    return True


def _enter(session: Session) -> None:
    session.execute(SQL["enter_views"])


def _fill_snapshots(session: Session, job: str) -> None:
    status: Status | None = None
    version, full = 0, True
    while full:
        with session.transaction():
            _enter(session)
            page = read_page(session, {f"job:{job}": version}, PAGE_EVENTS_MAX)
            for entry in page:
                status = fold(status, entry)
                version = entry.event.version
            if status is not None and status.snapshots:
                for statement, given in write_snapshots(status.snapshots).items():
                    session.execute(SQL[statement], given)
                status.snapshots.clear()
        full = len(page) == PAGE_EVENTS_MAX


def _fill_told(session: Session, after: int) -> tuple[int, int]:
    """Take in the next page; its last position, and that of the ledger, with which the view is filled."""
    with session.transaction():
        _enter(session)
        end = head(session)
        until = min(after + PAGE_POSITIONS, end)
        for statement, given in VIEW.writes((), after, [*_beyond(session, after, until)]).items():
            session.execute(SQL[statement], given)
        if until == end:
            track(session, [VIEW], end)
    return until, end


def _beyond(session: Session, after: int, until: int) -> Iterator[RecordedEvent]:
    """The events of a page that are not among the first of their streams."""
    asked = {"after": after, "until": until, "short": SHORT_EVENTS_MAX}
    for row in session.execute(SQL["select_beyond"], asked).fetchall():
        with suppress(LedgerError):
            yield read_recorded(row)
