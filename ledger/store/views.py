"""What the store asks of views: to be told of every event in its append, and to say what runs.

A question is asked first and answered when its `Asked` is called, so that many share one round trip to the server.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from psycopg import Connection

from ledger.domain.admission import Demand, Held, Holder
from ledger.domain.content import Mark
from ledger.domain.entities import Access
from ledger.domain.events import Event, Placed
from ledger.domain.job import Job
from ledger.domain.quorum import Child, Family
from ledger.store.diagnosis import Lag
from ledger.store.replication import Durability
from ledger.store.standpoint import Known

CATCH_UP_EVENTS_MAX = 1_000  # by which the views may be behind, for an append to take them in

T = TypeVar("T")
Asked = Callable[[], T]
Session = Connection[dict[str, Any]]
Sought: TypeAlias = tuple[str, Mark]  # by its name a stream, and what is looked for in it


def nothing() -> None:
    """The answer where nothing had to be asked."""


Counted = tuple[str, str, str]  # the type of jobs, and the type and id of the entity that they are counted on


class Seen(NamedTuple):
    """The last position, whether a view was behind it, and what a commit waits for."""

    head: int
    behind: bool
    durability: Durability


class Crowd(NamedTuple):
    """Those who hold an entity with one of some accesses, the tree of a root aside; of one type where that is said."""

    type: str
    id: str
    accesses: tuple[Access, ...]
    root: str
    job_type: str | None = None


class Recalled(NamedTuple):
    """A job as the rows of the views tell it: its state, what they keep of it, and how many bytes that has as JSON.

    The state is the one that its events leave, but that the entities may stand in another order.
    """

    job: Job
    kept: Any
    size: int


class Views(Protocol):
    """The inline views, inside the append's own transaction and under its lock."""

    def look(self, session: Session, known: Known) -> Asked[Seen]:
        """Ask how far the ledger and the views are.

        The answer brings every view to that position, and raises `ViewBehind` where that would take too long,
        `PositionAhead` where what is known no longer stands.
        """

    def fold(self, kept: Any, entry: Placed) -> Any:
        """What the views keep of a job after one more of its events; None before the first. It may change `kept`."""

    def recall(self, session: Session, jobs: Iterable[str]) -> Asked[Mapping[str, Recalled]]:
        """These jobs without their events, as far as they are on record, in a time that does not grow with these."""

    def told(self, session: Session, sought: Iterable[Sought]) -> Asked[Mapping[Sought, list[Event]]]:
        """The events of each stream, beyond its first 16, that have a mark, in order.

        What is not there was not told. Where a mark has no sign, the list may be empty all the same.
        """

    def write(self, session: Session, kept: Iterable[Any], entries: Sequence[Placed]) -> None:
        """Write what these events, which come next in the ledger, have changed; `kept` is of their jobs after them.

        Where the ledger does not end there, the transaction fails (`psycopg.errors.NotNullViolation`).
        """

    def some_children(
        self, session: Session, parents: Iterable[str], at_most: int
    ) -> Asked[Mapping[str, Sequence[Child]]]:
        """So many children of each parent, in the order of planning, those that are open before others are left out."""

    def has_child(self, session: Session, parent: str) -> bool:
        """Whether a job has a child that was not refused."""

    def open_children(self, session: Session, parent: str, at_most: int) -> list[str]:
        """So many children that are not closed, in any order."""

    def family(self, session: Session, parent: str, spoken_of: Sequence[str]) -> Family:
        """The children of a parent of many, as far as they count for it; all of those that are spoken of are told."""

    def unsettled(self, session: Session, parent: str, besides: Sequence[str]) -> bool:
        """As `ledger.domain.quorum.unsettled_beside` says, of a parent of many."""

    def left_below(
        self, session: Session, jobs: Iterable[str], event: str, at_most: int | None = None
    ) -> Asked[Mapping[str, list[str]]]:
        """The jobs below each of these jobs of which an event about a whole tree is yet to be recorded.

        At most so many in all; without that, those in front that keep the tree from it.
        """

    def bound(self, session: Session, names: Iterable[tuple[str, str]]) -> Asked[Mapping[tuple[str, str], str]]:
        """The job of each (executor, external id) that is bound."""

    def holders(
        self, session: Session, demands: Iterable[Demand], at_most: int
    ) -> Asked[Mapping[Demand, Sequence[Holder]]]:
        """The active jobs that stand against each demand, its own tree included, so many with each access."""

    def present(
        self, session: Session, counted: Iterable[Counted], at_most: int
    ) -> Asked[Mapping[Counted, Sequence[Holder]]]:
        """The active jobs on each entity with a limit, so many of them, whatever their type and access."""

    def crowd(self, session: Session, crowd: Crowd, spoken_of: Sequence[str]) -> Held:
        """The oldest of many holders, beside them all that are spoken of, and how many others there are."""


class Inspected(Protocol):
    """The views as somebody sees them who only looks."""

    def lag(self, session: Session) -> Lag:
        """By how many events the views that come with an append are behind or ahead, and whether they are empty."""

    def followed(self, session: Session) -> Mapping[str, int]:
        """By how many events each followed view is behind, below 0 where it is ahead."""

    def position(self, session: Session) -> int:
        """The position up to which the views are true that come with an append."""

    def damaged(self, session: Session) -> Iterable[tuple[int, str]]:
        """The rows that are no events where they stand, as the views met them: the position of each, and why."""
