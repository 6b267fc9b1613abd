"""What the store asks of views: to be told of every event in its append, and to say what runs.

A question is asked first and answered when its `Asked` is called, so that many share one round trip to the server.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from psycopg import Connection

from ledger.admission import Demand, Holder
from ledger.domain.content import Mark
from ledger.domain.events import Event, Limit, Placed
from ledger.domain.job import Job
from ledger.domain.quorum import Child

T = TypeVar("T")
Asked = Callable[[], T]
Session = Connection[dict[str, Any]]
Sought: TypeAlias = tuple[str, Mark]  # by its name a stream, and what is looked for in it


class Recalled(NamedTuple):
    """A job as the rows of the views tell it: its state, what they keep of it, and how many bytes that has as JSON.

    The state is the one that its events leave, but that the entities may stand in another order.
    """

    job: Job
    kept: Any
    size: int


class Views(Protocol):
    """The inline views, inside the append's own transaction and under its lock."""

    def look(self, session: Session) -> Asked[tuple[int, bool]]:
        """Ask how far the ledger and the views are; the last position, and whether a view was behind it.

        The answer brings every view to that position, and raises `ViewBehind` where that would take too long.
        """

    def fold(self, kept: Any, entry: Placed) -> Any:
        """What the views keep of a stream after one more of its events; None before the first. It may change `kept`."""

    def recall(self, session: Session, jobs: Iterable[str]) -> Asked[Mapping[str, Recalled]]:
        """These jobs without their events, as far as they are on record, in a time that does not grow with these."""

    def told(self, session: Session, sought: Iterable[Sought]) -> Asked[Mapping[Sought, list[Event]]]:
        """The events of each stream, beyond its first 16, that have a mark, in order.

        What is not there was not told. Where a mark has no sign, the list may be empty all the same.
        """

    def write(self, session: Session, kept: Iterable[Any], entries: Sequence[Placed]) -> None:
        """Write what these events, which come next in the ledger, have changed in these streams.

        Where the ledger does not end there, the transaction fails (`psycopg.errors.NotNullViolation`).
        """

    def children(self, session: Session, parents: Iterable[str]) -> Asked[Mapping[str, list[Child]]]:
        """The children of each parent in the order of planning; one that was refused is none."""

    def descendants(self, session: Session, job: str) -> list[str]:
        """The jobs below a job, parents first, without those that were refused."""

    def bound(self, session: Session, names: Iterable[tuple[str, str]]) -> Asked[Mapping[tuple[str, str], str]]:
        """The job of each (executor, external id) that is bound."""

    def holders(self, session: Session, demands: Iterable[Demand]) -> Asked[list[Holder]]:
        """The active jobs that stand against a demand, their own tree included."""

    def present(self, session: Session, limits: Iterable[Limit]) -> Asked[list[Holder]]:
        """The active jobs that count against limits, whatever their access."""
