"""The questions that the views answer, apart from all that records, so that who only asks imports nothing of that."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from ledger import clock
from ledger.asking.answers import (
    BusyAnswer,
    JobFilter,
    JobView,
    Name,
    Queries,
    RollUp,
    TreeExpiry,
    Unsettled,
    asked_access,
    asked_entity,
)
from ledger.domain.entities import EntityRef
from ledger.domain.numbers import asked_number, asked_page
from ledger.domain.retention import PRESETS, Retention
from ledger.errors import JobNotFound


class Questions:
    """What is asked of the views; every `Ledger` answers them. All raise `BadInput`, `NotFound` or `Unavailable`."""

    def __init__(self, queries: Queries, close: Callable[[], None]) -> None:
        self._queries = queries
        self._close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._close()

    def job(self, job: str) -> JobView:
        """A job, expired or not; raises `JobNotFound` for an id that never was."""
        view = self._queries.job(job)
        if view is None:
            raise JobNotFound(f"No event speaks of job {job}.", job=job)
        return view

    def jobs(
        self, which: JobFilter | None = None, *, before: int | None = None, limit: int | None = None
    ) -> Iterator[JobView]:
        """Jobs in the live views, the last planned first."""
        asked_page(before, limit)
        return self._queries.jobs(which or JobFilter(), before=before, limit=limit)

    def tree(self, job: str) -> list[JobView]:
        """A job and all below it, parents first; raises `JobNotFound`."""
        jobs = self._queries.tree(job)
        if not jobs:
            raise JobNotFound(f"No event speaks of job {job}.", job=job)
        return jobs

    def unsettled(self, names: Sequence[Name] = ()) -> Unsettled:
        """Every active job, and those that bear one of these names, with their children, as of one position."""
        return self._queries.unsettled(names)

    def busy(self, entity: str | EntityRef, *, would: str | None = None, besides: str | None = None) -> BusyAnswer:
        """The active jobs on one entity (`vm/web01`), oldest first; `would` and `besides` as for `busy_all`."""
        return self.busy_all([entity], would=would, besides=besides)[0]

    def busy_all(
        self, entities: Sequence[str | EntityRef], *, would: str | None = None, besides: str | None = None
    ) -> list[BusyAnswer]:
        """The active jobs on each of several entities, as of one position.

        `would` (`exclusive` or `shared`) asks only for those that a plan asking for this access would meet, `besides`
        leaves out the tree that a job belongs to. Raises `JobNotFound` for a job that never was.
        """
        access = asked_access(would) if would is not None else None
        answers = self._queries.busy([asked_entity(entity) for entity in entities], access, besides)
        if answers is None:
            raise JobNotFound(f"No event speaks of job {besides}.", job=besides)
        return answers

    def reached(self) -> int:
        """The position up to which the answers are true."""
        return self._queries.position()

    def due_to_close(self, limit: int = 100) -> list[JobView]:
        """The parents whose children have all closed and whose end action an owner has yet to claim, oldest first."""
        return self._queries.due_to_close(asked_number("A limit", limit))

    def roll_up(self, job: str) -> RollUp:
        """How far a tree is, from the job down; raises `JobNotFound`."""
        sums = self._queries.roll_up(job)
        if sums is None:
            raise JobNotFound(f"No event speaks of job {job}.", job=job)
        return sums

    def expiry(self, policy: Retention = PRESETS["default"], *, limit: int | None = None) -> list[TreeExpiry]:
        """A forecast of what leaves the live views, in the order in which it leaves."""
        asked_page(None, limit)
        return self._queries.expiry(policy, clock.now(), limit)
