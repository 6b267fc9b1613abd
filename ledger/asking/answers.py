"""What the ledger answers: jobs as views show them, and what is asked of the views."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, overload

from ledger.domain.cursor import Cursor
from ledger.domain.entities import Access, EntityRef
from ledger.domain.epoch import EpochStart, Lease, OwnerEpoch
from ledger.domain.numbers import asked_seconds
from ledger.domain.quorum import Child
from ledger.domain.retention import Retention
from ledger.domain.states import EndAction, Outcome, Phase
from ledger.domain.values import print_time
from ledger.errors import MalformedRecord

if TYPE_CHECKING:  # a command that only asks about now builds no models of events
    from ledger.asking.search import Histories
    from ledger.domain.events import RecordedEvent
    from ledger.domain.moment import AsOf

R = TypeVar("R")


class JobView(NamedTuple):
    """A job as the views show it; `position` is that of its last event. Times are in UTC, spans in seconds."""

    job: str
    type: str
    parent: str | None
    root: str
    phase: str
    outcome: str | None
    done: bool
    ok: bool | None
    flags: list[str]
    entities: list[dict[str, Any]]
    executor: str | None
    external_id: str | None
    progress: dict[str, Any] | None
    planned_at: datetime
    started_at: datetime | None
    closed_at: datetime | None
    elapsed_seconds: float | None
    estimated_end: datetime | None
    deadline: datetime | None
    error: dict[str, Any] | None
    result: Any
    warnings: list[str]
    actor: str | None
    reason: str | None
    owner: str | None
    epoch: int | None
    version: int
    position: int
    params: dict[str, Any] | None
    evidence: Any
    residue: bool
    retry_of: str | None
    required: bool
    end_action: str
    token: str | None
    raw: str | None
    last_event: str
    last_at: datetime
    planned_position: int

    def as_json(self) -> dict[str, Any]:
        """The job under the names that every face uses."""
        values = self._asdict()
        return {name: print_time(value) if isinstance(value, datetime) else value for name, value in values.items()}


class Jobs(Sequence[JobView], Generic[R]):
    """Jobs that are read when somebody looks at them, for most who ask want to know no more than whether there are any.

    `read` makes a job of a row.
    """

    __slots__ = ("_read", "_rows", "_seen")

    def __init__(self, rows: Sequence[R], read: Callable[[R], JobView]) -> None:
        self._rows = rows
        self._read = read
        self._seen: list[JobView] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> JobView: ...

    @overload
    def __getitem__(self, place: slice) -> list[JobView]: ...

    def __getitem__(self, place: int | slice) -> JobView | list[JobView]:
        if self._seen is None:
            self._seen = [self._read(row) for row in self._rows]
        return self._seen[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment] # as that of a list

    def __repr__(self) -> str:
        return repr([*self])


@dataclass(frozen=True, slots=True)
class BusyAnswer:
    """The active jobs on one entity, oldest first, as of a position; where `would` is set, those that it would meet."""

    entity: EntityRef
    jobs: Sequence[JobView]
    position: int
    would: Access | None = None

    @property
    def busy(self) -> bool:
        """Whether any job is active on the entity, or in the way of the access that was asked about."""
        return bool(self.jobs)

    def as_json(self) -> dict[str, Any]:
        """The answer under the names that every face uses."""
        return {
            "entity": {"type": self.entity.type, "id": self.entity.id},
            "busy": self.busy,
            "count": len(self.jobs),
            "jobs": [job.as_json() for job in self.jobs],
            "position": self.position,
        } | ({"would": str(self.would)} if self.would else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list; what is not said does not narrow.

    `parent` asks for its children, `silent_for` for active jobs without a word so long.
    """

    phase: str | None = None
    outcome: str | None = None
    type: str | None = None
    entity: EntityRef | None = None
    root: str | None = None
    parent: str | None = None
    active: bool = False
    overdue: bool = False
    silent_for: timedelta | None = None
    expired: bool = False

    def __post_init__(self) -> None:
        if self.silent_for is not None:
            asked_seconds("A silence", self.silent_for.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """How far a tree is, from one job down, as of a position: how many jobs are in which phase and of which outcome.

    `percent` is the mean over the jobs without children, those aside that a retry took the place of: a closed one
    counts 100, however it ended, and one that told no progress 0.
    """

    job: str
    jobs: int
    percent: float
    phases: dict[str, int]
    outcomes: dict[str, int]
    position: int

    def as_json(self) -> dict[str, Any]:
        """The answer, ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeExpiry:
    """A tree in the live views: when it leaves them, under which policy, and who put it on hold, if somebody did.

    `leaves_at` is None while a job of it is open or unresolved, or on hold; `beyond` says that newer jobs of its actor
    already fill `keep_at_most`.
    """

    root: str
    type: str
    actor: str
    jobs: int
    policy: Retention
    closed_at: datetime | None
    leaves_at: datetime | None
    beyond: bool
    on_hold: bool
    on_hold_by: str | None

    @property
    def cause(self) -> str:
        """The part of the policy that lets the tree go."""
        return "keep_at_most" if self.beyond else "keep_for"

    def due(self, now: datetime) -> bool:
        """Whether the time to leave has come."""
        return self.leaves_at is not None and self.leaves_at <= now

    def as_json(self) -> dict[str, Any]:
        """The forecast of one tree, ready for JSON."""
        return {
            "root": self.root,
            "type": self.type,
            "actor": self.actor or None,
            "jobs": self.jobs,
            "policy": self.policy.model_dump(mode="json"),
            "closed_at": print_time(self.closed_at) if self.closed_at else None,
            "leaves_at": print_time(self.leaves_at) if self.leaves_at else None,
            "cause": self.cause,
            "on_hold": self.on_hold,
            "on_hold_by": self.on_hold_by,
        }


class Name(NamedTuple):
    """What an executor calls a task: its id there, the token that it came under, or both."""

    executor: str
    external_id: str | None
    token: str | None


class OwnerState(StrEnum):
    """What is known of an owner's epoch; only `fenced` means that it may no longer act."""

    LIVE = "live"
    LAPSED = "lapsed"
    UNLEASED = "unleased"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerView:
    """An owner in one epoch that has active jobs or a lease: `jobs` counts what it answers for.

    `lapsed` is one whose lease ran out, `unleased` one that never took any; both still count as live.
    """

    owner: str
    epoch: int | None
    state: OwnerState
    renewed_at: datetime | None
    lease_ends_at: datetime | None
    jobs: int

    def as_json(self) -> dict[str, Any]:
        """The owner, ready for JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: print_time(value) if isinstance(value, datetime) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A job as recovery sees it: what decides what may have become of it."""

    job: str
    type: str
    parent: str | None
    depth: int
    phase: Phase
    outcome: Outcome | None
    end_action: EndAction
    cancel_requested: bool
    contact_lost: bool
    disputed: bool
    executor: str | None
    external_id: str | None
    token: str | None
    owner: str | None
    epoch: int | None
    version: int
    planned_position: int

    @property
    def active(self) -> bool:
        """Whether the job keeps its entities busy."""
        return self.phase is not Phase.CLOSED or self.outcome is Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Every active job, those that were asked for by a name of theirs, and the children of all, as of a position.

    `owners` counts the active jobs of each, as `Queries.owners` does: those too of which nothing can be said.
    """

    jobs: Sequence[Standing]
    children: Mapping[str, Sequence[Child]]
    position: int
    owners: Mapping[OwnerEpoch, int]


@dataclass(frozen=True, slots=True)
class Was:
    """A job as it was at a moment, and the entities that it kept busy then."""

    view: JobView
    held: frozenset[EntityRef]


class Beats(Protocol):
    """What keeps a lease, in the process that started the owner and in each child that goes on with its work."""

    inherited: bool  # whether this process is a child of the one that started the owner

    def go_on(self) -> None:
        """Keep the lease from here too, where this process does not yet."""

    def stop(self) -> None:
        """Keep it no longer from here."""


class Leases(Protocol):
    """Where owners say that they live."""

    def renew(self, start: EpochStart, seconds: float) -> None:
        """Let the lease end `seconds` from now, while the event is on record that the epoch started with."""

    def release(self, holder: OwnerEpoch, because: Cursor) -> None:
        """Drop the lease of this epoch and of every earlier one, while the event that says so is on record."""

    def all(self) -> Sequence[Lease]:
        """Every lease."""

    def keep(self, beat: Callable[[], None], seconds: float) -> Beats:
        """Call `beat` often enough for a lease of so many seconds, until it is stopped."""


class Recall(Protocol):
    """What the ledger asks of the past."""

    def find(self, moment: int | datetime, *, occurred: bool) -> "AsOf":
        """Where in the ledger a moment lies; raises `MomentNotFound`."""

    def catch_up(self, as_of: "AsOf", tell: Callable[[int, int], None]) -> None:
        """Bring what is asked about entities and trees up to the moment; `tell` hears position and goal on the way."""

    def history(self, as_of: "AsOf", job: str, after: int) -> "Iterator[RecordedEvent]":
        """The events of a job after a position that count at the moment, in order, read page by page."""

    def job(self, as_of: "AsOf", job: str) -> JobView | None:
        """A job as the views showed it; None where it was not on record."""

    def tree(self, as_of: "AsOf", root: str) -> list[JobView]:
        """A job and all that was below it, parents first; empty where it was not on record."""

    def busy(
        self, as_of: "AsOf", entities: Sequence[EntityRef], would: Access | None = None, besides: str | None = None
    ) -> list[BusyAnswer] | None:
        """The jobs that were active on each entity; None where `besides` was not on record."""

    def active(
        self, as_of: "AsOf", which: JobFilter, *, before: int | None = None, limit: int | None = None
    ) -> Iterator[JobView]:
        """The jobs that were active, the last planned first, from before a planned position."""

    def told_between(self, earlier: "AsOf", later: "AsOf") -> Iterator[tuple[Was | None, Was]]:
        """Each job of which something was told after one moment and up to another, as it was at both."""


class Queries(Protocol):
    """What the ledger asks of its views."""

    def job(self, job: str) -> JobView | None:
        """A job, expired or not; None where no event speaks of it."""

    def jobs(self, which: JobFilter, *, before: int | None = None, limit: int | None = None) -> Iterator[JobView]:
        """Jobs, the last planned first, from before a planned position."""

    def tree(self, root: str) -> list[JobView]:
        """A job and all below it, parents first."""

    def busy(
        self, entities: Sequence[EntityRef], would: Access | None = None, besides: str | None = None
    ) -> list[BusyAnswer] | None:
        """The active jobs on each entity that this access would meet, outside the tree of the job `besides`.

        None where no event speaks of that job.
        """

    def due_to_close(self, limit: int) -> list[JobView]:
        """The parents whose children have all closed and whose end action an owner has yet to claim, oldest first."""

    def roll_up(self, job: str) -> RollUp | None:
        """How far a tree is, from the job down; None where no event speaks of the job."""

    def expiry(
        self, policy: Retention, now: datetime, limit: int | None = None, *, due: bool = False
    ) -> list[TreeExpiry]:
        """Trees in the live views, or those of them that are due, those that leave first in front."""

    def owners(self) -> list[tuple[OwnerEpoch, int]]:
        """The owners of active jobs, each epoch with the number of its jobs."""

    def newest_epoch(self, owner: str) -> int | None:
        """The newest epoch in which an owner ever had a job, 0 where none was said; None where it never had one."""

    def unsettled(self, names: Sequence[Name]) -> Unsettled:
        """Every active job, and those that bear one of these names, from one snapshot."""

    def position(self) -> int:
        """The position up to which the views are true."""


class LedgerQueries(Queries, Protocol):
    """What the ledger asks of its views, of history and of the past."""

    @property
    def history(self) -> "Histories":
        """Who searches the history."""

    @property
    def past(self) -> Recall:
        """The same, as of any moment."""


def asked_entity(entity: str | EntityRef) -> EntityRef:
    """The entity that is asked about, as `TYPE/ID` or as it is; raises `MalformedRecord`."""
    return entity if isinstance(entity, EntityRef) else EntityRef.parse(entity)


def asked_access(word: str) -> Access:
    """The access that a plan would ask for; raises `MalformedRecord` for any other word."""
    if word not in (Access.EXCLUSIVE, Access.SHARED):
        raise MalformedRecord(f"What a plan would ask for must be exclusive or shared, and this is {word!r}.")
    return Access(word)
