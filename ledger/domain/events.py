"""The vocabulary: every fact that the ledger keeps, in the past tense. Read this page first.

A `Fact` is what an event says; an `Event` is a fact about one job in its place in the job's stream, with who, why and
when; a `RecordedEvent` is an event that the database has placed. The name of a fact is its word on the wire; its topic,
the name under which it is stored, never changes. A field that has its default is not written, so a default may never
change either: what needs another one is a new version of the fact.
"""

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, Self

from pydantic import BeforeValidator, Field, StrictBool, model_validator
from pydantic_core import to_json

from ledger.domain.cursor import Cursor
from ledger.domain.entities import Entities, EntityRef, Products, Releases
from ledger.domain.retention import RetentionPolicy
from ledger.domain.states import EndAction, Outcome
from ledger.domain.values import (
    Count,
    Depth,
    ExecutorName,
    ExternalId,
    Frozen,
    JobId,
    Json,
    JsonObject,
    JsonRecord,
    Moment,
    Prose,
    Quantity,
    Token,
    TypeName,
    ordered,
    payload,
)
from ledger.errors import MalformedRecord


class Fact(Frozen):
    """What an event says, without where, when and by whom."""

    name: ClassVar[str]
    topic: ClassVar[str]
    kind: ClassVar[str] = "job"  # of the streams that it stands in: job, owner or ledger
    timed: ClassVar[bool] = False  # whether the time is part of what is said

    @cached_property
    def body(self) -> dict[str, Any]:
        """The fields as JSON values, made once; a field at its default is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @cached_property
    def text(self) -> bytes:
        """The fields as the text of a JSON object, made once."""
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True)

    @cached_property
    def content(self) -> bytes:
        """What is said, in the one form that it has however it was said."""
        said = self._said()
        return self.name.encode() + to_json(
            {name: said[name] if name in _IN_ONE_ORDER else ordered(said[name]) for name in said}
        )

    def _said(self) -> dict[str, Any]:
        return self.body


_IN_ONE_ORDER = frozenset({"entities", "products"})  # that of their class


class Limit(Frozen):
    """At most `at_most` active jobs of a type on one entity, for the plan that states it."""

    type: TypeName
    entity: EntityRef
    at_most: Count

    @property
    def counted(self) -> tuple[str, str, str]:
        """What is counted: the type of the jobs, and the type and id of the entity."""
        return self.type, self.entity.type, self.entity.id


class Error(Frozen):
    """What went wrong, as the executor tells it."""

    code: Prose | None = None
    message: Prose | None = None
    details: list[Json] = Field(default_factory=list)


def error_within_a_payload(error: object) -> Any:
    """An error, or what may be one, within the limits of a payload."""
    return error if isinstance(error, Error) else payload(error)


class Terms(Fact):
    """What a plan and the fact that it was planned have in common."""

    type: TypeName
    parent: JobId | None = None
    retry_of: JobId | None = None
    required: StrictBool = True
    entities: Entities = ()
    params: JsonObject = Field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    deadline: Moment | None = None
    retention: RetentionPolicy | None = None
    cancellable: StrictBool = True
    end_action: EndAction = EndAction.NONE


class Planned(Terms):
    """The job was put on record; its executor has not been called."""

    name, topic = "planned", "job.planned.v1"
    root: JobId = ""
    depth: Depth = 1
    children: Count = 0

    def _said(self) -> dict[str, Any]:
        return {name: value for name, value in self.body.items() if name not in ("root", "depth")}


class Refused(Fact):
    """Admission said no to the plan as it was asked, children included; `count` is said where not all are told."""

    name, topic = "refused", "job.refused.v1"
    plan: JsonRecord
    blockers: list[Json]
    count: Count | None = None

    def _said(self) -> dict[str, Any]:
        return self.body | {"plan": _terms(self.plan)}


def _terms(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan without who asked for it and why."""
    said = {name: value for name, value in plan.items() if name not in ("actor", "reason")}
    return said | {"children": [_terms(child) for child in plan.get("children", [])]}


class Submitted(Fact):
    """The executor was about to be called, under this token."""

    name, topic = "submitted", "job.submitted.v1"
    executor: ExecutorName
    token: Token


class Accepted(Fact):
    """The executor took the job and named it."""

    name, topic = "accepted", "job.accepted.v1"
    executor: ExecutorName | None = None
    external_id: ExternalId


class Started(Fact):
    """The executor had begun to work on the job."""

    name, topic = "started", "job.started.v1"
    executor: ExecutorName | None = None
    external_id: ExternalId | None = None


class Progressed(Fact):
    """The executor had come so far: in per cent, in units done of a total, or in words."""

    name, topic, timed = "progressed", "job.progressed.v1", True
    percent: Quantity | None = None
    done: Quantity | None = None
    total: Quantity | None = None
    unit: TypeName | None = None
    message: Prose | None = None
    estimated_end: Moment | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.percent is None and self.done is None and self.total is None and self.message is None:
            raise MalformedRecord("Progress must say percent, done, total or a message.")
        if self.percent is not None and self.percent > 100:  # noqa: PLR2004 - per cent
            raise MalformedRecord(f"Progress must be 100 per cent at most, and this is {self.percent}.")
        return self


class Suspended(Fact):
    """The executor had paused the job."""

    name, topic, timed = "suspended", "job.suspended.v1", True


class Resumed(Fact):
    """The executor went on with the job."""

    name, topic, timed = "resumed", "job.resumed.v1", True


class CancelRequested(Fact):
    """Somebody asked that the job be cancelled; it may still succeed."""

    name, topic = "cancel_requested", "job.cancel_requested.v1"


class Attached(Fact):
    """The job touched further entities from then on."""

    name, topic, timed = "attached", "job.attached.v1", True
    entities: Entities


class Detached(Fact):
    """The job let entities go."""

    name, topic, timed = "detached", "job.detached.v1", True
    entities: Releases


class ContactLost(Fact):
    """The executor could not be reached; the job still counts as running."""

    name, topic, timed = "contact_lost", "job.contact_lost.v1", True


class ContactRegained(Fact):
    """The executor could be reached again."""

    name, topic, timed = "contact_regained", "job.contact_regained.v1", True


class Closing(Fact):
    """The owner in that epoch took the end action of a parent whose children had all closed."""

    name, topic = "closing", "job.closing.v1"


class Adopted(Fact):
    """The owner in that epoch answered for the job from then on."""

    name, topic = "adopted", "job.adopted.v1"


class Ended(Fact):
    """What the facts that close a job have in common."""

    result: Json = None
    products: Products = ()
    warnings: tuple[Prose, ...] = ()
    error: Annotated[Error, BeforeValidator(error_within_a_payload)] | None = None
    evidence: Json = None
    residue: StrictBool = False


class Succeeded(Ended):
    """The job did what it was for."""

    name, topic = "succeeded", "job.succeeded.v1"


class Failed(Ended):
    """The job did not do what it was for."""

    name, topic = "failed", "job.failed.v1"


class Cancelled(Ended):
    """The job was stopped because somebody asked for it."""

    name, topic = "cancelled", "job.cancelled.v1"


class Abandoned(Ended):
    """The job was certainly never begun, and never will be."""

    name, topic = "abandoned", "job.abandoned.v1"


class Lost(Ended):
    """Nobody could say any more what became of the job."""

    name, topic = "lost", "job.lost.v1"


class Resolved(Ended):
    """It was found out how a job ended of which nobody could say; `report` is the report that said so, if one did."""

    name, topic = "resolved", "job.resolved.v1"
    outcome: Outcome
    report: JsonRecord | None = None


class Disputed(Fact):
    """Evidence came up against the outcome on record, which stands."""

    name, topic = "disputed", "job.disputed.v1"
    outcome: Outcome | None = None
    evidence: Json = None


class Late(Fact):
    """A report came too late to change anything: from a fenced epoch, or about a closed job."""

    name, topic = "late", "job.late.v1"
    report: JsonRecord
    because: Literal["fenced", "closed"]


class HoldPlaced(Fact):
    """Somebody asked that the job stay in the live views."""

    name, topic, timed = "hold_placed", "job.hold_placed.v1", True


class HoldLifted(Fact):
    """The job no longer had to stay in the live views."""

    name, topic, timed = "hold_lifted", "job.hold_lifted.v1", True


class Expired(Fact):
    """The job left the live views, with its whole tree; it stays in history."""

    name, topic = "expired", "job.expired.v1"
    policy: RetentionPolicy
    cause: Literal["keep_for", "keep_at_most"]
    threshold: Json = None


class OwnerStarted(Fact):
    """An owner began a new epoch, which fenced its earlier ones."""

    name, topic, kind = "owner_started", "owner.started.v1", "owner"


class OwnerFenced(Fact):
    """An epoch of an owner, and every earlier one, may no longer act."""

    name, topic, kind = "owner_fenced", "owner.fenced.v1", "owner"


class Break(StrEnum):
    """A promise of the ledger that a row may break."""

    TIME = "time"
    STREAM = "stream"
    TOPIC = "topic"
    VERSION = "version"
    BYTES = "bytes"
    TABLE = "table"


class BreakAccepted(Fact):
    """Somebody looked at what breaks the ledger's promises from a position on; sealing went on past it."""

    name, topic, kind = "break_accepted", "ledger.break_accepted.v1", "ledger"
    position: Count
    promise: Break


class LossAccepted(Fact):
    """Somebody looked at what a ledger lost that had been acknowledged, as it was restored or failed over; it goes on.

    `known_at` and `known_id` are of the furthest event that was known and is gone, `ends_at` and `ends_id` of the last
    one that was there, `receipts` counts what was acknowledged and is gone, of which `jobs` names a hundred at most.
    """

    name, topic, kind = "loss_accepted", "ledger.loss_accepted.v1", "ledger"
    known_at: Count
    known_id: Prose | None = None
    ends_at: Count
    ends_id: Prose | None = None
    receipts: Count
    jobs: tuple[JobId, ...] = ()


class Damaged(Fact):
    """In the place of a fact, where a row is none: what stands there instead, and why it is none. It is never stored.

    `row` is the stored bytes in base64.
    """

    name, topic, kind = "damaged", "", ""  # it may stand in any stream
    stream: str
    row_topic: str
    row: str
    why: str


JOB_FACTS: tuple[type[Fact], ...] = (
    Planned, Refused, Submitted, Accepted, Started, Progressed, Suspended, Resumed, CancelRequested, Attached, Detached,
    ContactLost, ContactRegained, Closing, Adopted, Succeeded, Failed, Cancelled, Abandoned, Lost, Resolved, Disputed,
    Late, HoldPlaced, HoldLifted, Expired,
)  # fmt: skip
OWNER_FACTS: tuple[type[Fact], ...] = (OwnerStarted, OwnerFenced)
LEDGER_FACTS: tuple[type[Fact], ...] = (BreakAccepted, LossAccepted)
ENDINGS = frozenset(fact for fact in JOB_FACTS if issubclass(fact, Ended))
FACTS_BY_NAME = {fact.name: fact for fact in JOB_FACTS + OWNER_FACTS + LEDGER_FACTS}
FACTS_BY_TOPIC = {fact.topic: fact for fact in JOB_FACTS + OWNER_FACTS + LEDGER_FACTS}


def names_in(fact: Fact) -> dict[str, str]:
    """How the executor calls a job, as far as a fact says it: `executor`, `external_id` and `token`."""
    said = vars(fact)
    return {name: said[name] for name in ("executor", "external_id", "token") if said.get(name)}


class Event(NamedTuple):
    """One immutable fact about one job; `job` is the name in facts about owners, the UUID in those of the ledger."""

    id: str
    job: str
    version: int
    occurred_at: datetime
    fact: Fact
    actor: str | None = None
    reason: str | None = None
    owner: str | None = None
    epoch: int | None = None
    raw: str | None = None
    traceparent: str | None = None

    @property
    def name(self) -> str:
        """The word of the fact on the wire."""
        return self.fact.name

    @property
    def of_job(self) -> bool:
        """Whether the event is one of a job, and neither of an owner nor of the ledger itself."""
        return self.fact.kind == "job" if self.fact.kind else self.stream.startswith("job:")

    @property
    def stream(self) -> str:
        """The stored name of the stream, `job:<id>`, `owner:<name>` or `ledger:<uuid>`."""
        return f"{self.fact.kind}:{self.job}" if self.fact.kind else str(vars(self.fact)["stream"])


class Placed(Protocol):
    """An event in its place in the ledger: `position` counts from 1 in commit order."""

    @property
    def event(self) -> Event:
        """The event."""

    @property
    def position(self) -> int:
        """Its place."""


class ComingEvent(NamedTuple):
    """An event that is about to be recorded, under the position that it will have."""

    event: Event
    position: int


class RecordedEvent(NamedTuple):
    """An event that the database has placed."""

    event: Event
    position: int
    recorded_at: datetime

    @property
    def cursor(self) -> Cursor:
        """Its place, to go on from."""
        return Cursor(self.position, self.event.id or None)
