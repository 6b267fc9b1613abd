"""What a view is, and the projections that fill one: a name, a version, and a fold of events into tables of its own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ledger.domain.events import Placed
from ledger.store.views import Session
from projections.statements import SHARED


class View(Protocol):
    """Tables that are filled from events alone, in order, in whichever schema the search path names first."""

    @property
    def name(self) -> str:
        """The name of the view."""

    @property
    def version(self) -> int:
        """Grows with each change of what the view says; another version on record means a rebuild."""

    @property
    def tables(self) -> Mapping[str, str]:
        """The tables that it fills, each with the columns of its key."""


class Projection(View, Protocol):
    """Fills the tables of one view in the transaction of every append.

    What it says of a job follows from the job's own stream: it is kept while the stream is, and folded on.
    """

    def read(self, session: Session, jobs: Sequence[str], sql: Mapping[str, str]) -> Mapping[str, Any]:
        """What the tables keep of these jobs, as far as later events depend on it; `sql` is of the live ones or not."""

    def fold(self, kept: Any, entry: Placed) -> Any:
        """What is kept of a job after one more event of its stream; None before the first. It may change `kept`."""

    def writes(self, kept: Iterable[Any], before: int, entries: Sequence[Placed]) -> Mapping[str, Mapping[str, str]]:
        """Which statements, by name, write what these events after `before` have changed, and what each is given.

        `kept` is what is kept of their jobs after them.
        """


def track(
    session: Session, views: Sequence[View], position: int, schema: str = "projections", before: int | None = None
) -> None:
    """Note that these views have taken in every event up to a position, in the schema where they are.

    Whoever does it often says where all of them were `before`: then it takes no longer the more often it was done.
    """
    names = [view.name for view in views]
    if before is not None:
        moved = "WITH reached AS (SELECT %(position)s::bigint AS position) " + _in(schema, SHARED["move_tracking"])
        if session.execute(moved, {"position": position, "views": names, "before": before}).rowcount == len(names):
            return
    forget(session, views, schema)
    parameters = {"views": names, "versions": [view.version for view in views], "position": position}
    session.execute(_in(schema, SHARED["insert_tracking"]), parameters)


def forget(session: Session, views: Sequence[View], schema: str = "projections") -> None:
    """Note nothing of these views any more."""
    session.execute(_in(schema, SHARED["delete_tracking"]), {"views": [view.name for view in views]})


def _in(schema: str, statement: str) -> str:
    return statement.replace("projections.", f"{schema}.")


def project(session: Session, projection: Projection, page: Sequence[Placed], sql: Mapping[str, str]) -> None:
    """Take in the next events, which follow those taken in before; a second time must not happen."""
    entries = [entry for entry in page if entry.event.of_job]
    known = {entry.event.job for entry in entries} - {entry.event.job for entry in entries if entry.event.version == 1}
    kept = dict(projection.read(session, sorted(known), sql))
    for entry in entries:
        kept[entry.event.job] = projection.fold(kept.get(entry.event.job), entry)
    for statement, parameters in projection.writes(kept.values(), page[0].position - 1, page).items():
        session.execute(sql[statement], parameters)
