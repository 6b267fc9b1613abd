"""Brings followed views up to the ledger: they cost an append nothing, and a question lets them catch up first.

A followed view is a projection like any other, in the schema `history`. It goes forward page by page, each page with
its tracking row in one transaction under a lock of its own, so that it may be killed anywhere and run twice at once.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from psycopg import DataError, ProgrammingError
from psycopg.errors import ProgramLimitExceeded

from ledger.asking.search import Tell, tell_nobody
from ledger.errors import BadInput, IntegrityFailure, SchemaTooNew, ViewBehind
from ledger.store.bounds import bound_waits
from ledger.store.connection import Connect
from ledger.store.reading import rows_after, rows_in_turn
from ledger.store.views import Session
from projections.followed.activity import Activity
from projections.followed.history import History
from projections.followed.stored_event import StoredEntry, read_checked, read_stored
from projections.projection import View, forget, track
from projections.statements import FOLLOWED as SQL


class Followed(View, Protocol):
    """A view that follows, in the schema `history`."""

    def project(self, session: Session, page: Sequence[StoredEntry]) -> None:
        """Take in the next events, which follow those taken in before; a second time must not happen."""


PAGE_EVENTS_MAX = 4_000
FOLLOWED: tuple[Followed, ...] = (History(), Activity())


def follow(session: Session, tell: Tell = tell_nobody, projections: Sequence[Followed] = FOLLOWED) -> int:
    """Bring followed views to the end of the ledger as it is now; the position that all have reached is returned.

    The session must be idle and may write the views. `tell` hears position and goal after each page. Raises
    `ViewBehind` where a view is of another version than this release fills, `IntegrityFailure` where one is ahead.
    """
    goal, found = _look(session, projections)
    position = min(found.values(), default=goal)
    while position < goal:
        try:
            position = _page(session, projections, goal, _read)
        except _UNREAD:
            position = _page(session, projections, goal, _read_checked)
        tell(position, goal)
    return position


# What a row may bring about that is no event: then each of its page is checked before anything is made of it.
_UNREAD = (
    *(IntegrityFailure, SchemaTooNew, BadInput, DataError, ProgrammingError, ProgramLimitExceeded),
    *(AssertionError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)
Read = Callable[[Session, int, int], list[StoredEntry]]


def may_follow(session: Session) -> bool:
    """Whether this session may write the followed views; who may only read answers from them as they are."""
    return bool(session.execute(SQL["select_may_follow"]).fetchall()[0]["may"])


def reached(session: Session, projections: Sequence[Followed] = FOLLOWED) -> list[dict[str, Any]]:
    """Each followed view with its version, its position (0 where it has not begun) and its lag behind the ledger."""
    rows = _rows(session, projections)
    return [
        {name: row[name] for name in ("view", "version", "position")} | {"lag": row["head"] - row["position"]}
        for row in rows
    ]


def lags(session: Session) -> dict[str, int]:
    """By how many events each followed view that was begun is behind, below 0 where it is ahead."""
    return {row["view"]: int(row["lag"]) for row in session.execute(SQL["select_followed_lag"]).fetchall()}


def empty(session: Session, projections: Sequence[Followed] = FOLLOWED) -> None:
    """Drop all rows of followed views, so that they are followed anew from position 1; for who acts as the projector.

    Whoever asks meanwhile waits, or follows them himself. Killed afterwards, the next one to follow goes on.
    """
    tables = ", ".join(f"history.{table}" for projection in projections for table in projection.tables)
    with session.transaction():
        _enter(session)
        session.execute(f"TRUNCATE {tables}")
        forget(session, projections, "history")


def must_be_emptied(session: Session) -> bool:
    """Whether a followed view is ahead of the ledger, or lost its rows."""
    return bool(session.execute(SQL["select_misled"]).fetchall()[0]["misled"])


def _rows(session: Session, projections: Sequence[Followed]) -> list[dict[str, Any]]:
    wanted = {projection.name: projection.version for projection in projections}
    parameters = {"views": list(wanted), "versions": list(wanted.values())}
    return session.execute(SQL["select_followed"], parameters).fetchall()


def _look(session: Session, projections: Sequence[Followed]) -> tuple[int, dict[str, int]]:
    """The end of the ledger, and how far each view has come."""
    head, found = 0, {}
    for projection, row in zip(projections, _rows(session, projections), strict=True):
        head, found[projection.name] = row["head"], row["position"]
        if row["version"] != projection.version:
            raise ViewBehind(
                f"The view {projection.name} must be of version {projection.version}, and it is of {row['version']}; "
                f"run jobledger projections rebuild {projection.name}.",
                view=projection.name,
                position=row["position"],
                head=head,
            )
        if row["position"] > head:
            raise IntegrityFailure(
                f"The view {projection.name} must not be ahead of the ledger, and is at position {row['position']:,} "
                f"of {head:,}; run jobledger projections rebuild {projection.name}."
            )
    return head, found


def _page(session: Session, projections: Sequence[Followed], goal: int, read: Read) -> int:
    """Take in the next page of the views that are furthest behind; the position that all have reached is returned."""
    with session.transaction():
        # What was committed before the lock was given must be seen after it.
        session.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        _enter(session)
        _, found = _look(session, projections)
        position = min(found.values())
        if position < goal:
            end = min((there for there in found.values() if there > position), default=goal)
            page = read(session, position, min(PAGE_EVENTS_MAX, end - position))
            page = [entry for entry in page if entry.position <= end]  # where a gap let it reach further
            behind = [projection for projection in projections if found[projection.name] == position]
            _project(session, behind, position, page)
            found |= {projection.name: page[-1].position for projection in behind}
        return min(found.values())


def _enter(session: Session) -> None:
    bound_waits(session, local=True)
    session.execute(SQL["enter_history"])
    session.execute(SQL["take_follow_lock"])


def _read(session: Session, after: int, limit: int) -> list[StoredEntry]:
    return [read_stored(row) for row in rows_after(session, after, limit)]


def _read_checked(session: Session, after: int, limit: int) -> list[StoredEntry]:
    return read_checked(session, rows_in_turn(session, after, limit))


def _project(session: Session, projections: Sequence[Followed], before: int, page: Sequence[StoredEntry]) -> None:
    for projection in projections:
        projection.project(session, page)
    track(session, projections, page[-1].position, "history", before)


class ViewFollower:
    """Lets the followed views catch up before a question is answered, over connections that the caller opens."""

    def __init__(self, connect: Connect, projections: Sequence[Followed] = FOLLOWED) -> None:
        self._connect = connect
        self._projections = projections

    def catch_up(self, tell: Tell = tell_nobody) -> None:
        """Follow to the end of the ledger as it is now; whoever may only read leaves the views as they are."""
        with self._connect() as session:
            if may_follow(session):
                follow(session, tell, self._projections)
