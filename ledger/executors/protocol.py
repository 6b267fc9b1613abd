"""What an executor is to recovery: somebody who can be asked which tasks it has, and told to take no more calls.

An adapter is a small class with the four verbs of `Executor`. Whoever has none writes what an executor knows to a file
of tasks (`ledger.executors.taskfile`), which is read into the same `Listing`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Protocol, Self

from pydantic import BeforeValidator, model_validator

from ledger.domain.entities import Entities, Products
from ledger.domain.events import Error
from ledger.domain.values import ExecutorName, ExternalId, Frozen, Json, Prose, Quantity, Token, payload
from ledger.errors import MalformedRecord


class TaskState(StrEnum):
    """What an executor says of a task, in the ledger's words; its own word goes into `raw`."""

    QUEUED = "queued"
    RUNNING = "running"
    SUSPENDED = "suspended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the task has ended."""
        return self in (TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED)


def _error(value: object) -> Any:
    return Error(message=value) if isinstance(value, str) else value if isinstance(value, Error) else payload(value)


class Task(Frozen):
    """One task as its executor tells it: its id there, the token that it was sent under, or both.

    `error` may be a text or `{code, message, details[]}`; `percent` lies between 0 and 100. `entities` are for a task
    that the ledger does not know and is asked to adopt.
    """

    executor: ExecutorName
    external_id: ExternalId | None = None
    token: Token | None = None
    state: TaskState
    percent: Quantity | None = None
    error: Annotated[Error, BeforeValidator(_error)] | None = None
    raw: Prose | None = None
    result: Json = None
    products: Products = ()
    entities: Entities = ()

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if self.external_id is None and self.token is None:
            raise MalformedRecord("A task must have an external_id or a token, and this has neither.")
        if self.percent is not None and self.percent > 100:  # noqa: PLR2004 - per cent
            raise MalformedRecord(f"A task must be at 100 per cent at most, and this is at {self.percent}.")
        return self

    def told(self) -> dict[str, Any]:
        """The task as evidence: what names it and what became of it, and nothing that is long or goes on changing."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return {name: fields[name] for name in ("executor", "external_id", "token", "state") if name in fields}

    def __str__(self) -> str:
        return f"{self.executor} {self.external_id or self.token}"


@dataclass(frozen=True, slots=True)
class Listing:
    """What one executor says when asked for all its tasks.

    `complete`: every task that was ever given to it is there, so that what is absent never arrived. `tokens`: it keeps
    the tokens that tasks were sent under. An executor that was not `reachable` says nothing.
    """

    executor: str
    tasks: tuple[Task, ...] = ()
    complete: bool = False
    tokens: bool = False
    reachable: bool = True


class Executor(Protocol):
    """An outside system that runs jobs; every verb raises `ExecutorUnreachable` where it does not answer."""

    @property
    def name(self) -> str:
        """The name under which jobs are sent to it."""

    def list(self) -> Listing:
        """Every task that it knows."""

    def ask(self, external_id: str | None, token: str | None) -> Task | None:
        """One task, by its id or by the token that it was sent under; None where it knows none."""

    def cancel(self, external_id: str) -> None:
        """Ask that a task be stopped; it may still succeed."""

    def fence(self, token: str) -> Task | None:
        """Never take a call under this token from now on; the task, where it was taken already."""
