"""What executors say, gathered once and held against the names of jobs.

An executor may speak of a task twice and out of order: an end outlasts what came before it, and two different ends
contradict each other, so that nobody can say.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger.answers import Name, Standing
from ledger.domain.events import Late, RecordedEvent
from ledger.errors import ExecutorUnreachable
from ledger.recovery.executors import Executor, Listing, Task, TaskState
from ledger.recovery.verdicts import NOTHING, Known, LateReport

Key = tuple[str, str | None, str | None]
_TOLD = ("error", "result", "products", "warnings", "raw")
_RANK = {TaskState.QUEUED: 0, TaskState.RUNNING: 1, TaskState.SUSPENDED: 1}


class Knowledge:
    """The listings of the executors that were asked, by the names of their tasks."""

    def __init__(self, executors: Iterable[Executor] = ()) -> None:
        self.executors: Mapping[str, Executor] = {executor.name: executor for executor in executors}
        self.unreachable: set[str] = set()
        self._listings: dict[str, Listing] = {}
        self._by_external_id: dict[tuple[str, str], list[Task]] = {}
        self._by_token: dict[tuple[str, str], list[Task]] = {}
        self._all: list[list[Task]] = []
        for executor in self.executors.values():
            self._ask_for_all(executor)

    def _ask_for_all(self, executor: Executor) -> None:
        try:
            listing = executor.list()
        except ExecutorUnreachable:
            self.unreachable.add(executor.name)
            return
        self._listings[executor.name] = listing
        for told in _by_task(listing.tasks):
            self._take(_merge(told))

    def _take(self, told: list[Task]) -> None:
        self._all.append(told)
        for task in told:
            if task.external_id is not None:
                self._by_external_id[task.executor, task.external_id] = told
            if task.token is not None:
                self._by_token[task.executor, task.token] = told

    def names(self) -> list[Name]:
        """What the tasks are called, to find the jobs that bear these names."""
        return [Name(task.executor, task.external_id, task.token) for told in self._all for task in told]

    def unmatched(self, jobs: Iterable[Standing], lates: Mapping[str, Sequence[LateReport]]) -> list[Task]:
        """The tasks that no job accounts for, in the order in which they were told."""
        named = {id(told) for job in jobs for told in [self._told_of(job, lates.get(job.job, ()))] if told}
        return [told[0] for told in self._all if id(told) not in named]

    def of(self, job: Standing, lates: Sequence[LateReport], *, ask: bool) -> Known:
        """What is known of a job; with `ask`, an executor whose listing is not complete is asked for it by name."""
        if job.executor is None:
            return Known(lates=lates) if lates else NOTHING
        listing = self._listings.get(job.executor)
        told = self._told_of(job, lates)
        if told is None and ask and listing is not None and not listing.complete:
            told = self._ask_for_one(job, self.executors[job.executor])
        return Known(
            tasks=told or (),
            asked=listing is not None,
            reachable=job.executor not in self.unreachable,
            complete=listing is not None and listing.complete and listing.tokens and job.token is not None,
            lates=lates,
        )

    def _told_of(self, job: Standing, lates: Sequence[LateReport]) -> list[Task] | None:
        if job.executor is None:
            return None
        ids = [job.external_id, *(late.external_id for late in lates)]
        found = [self._by_external_id.get((job.executor, name)) for name in ids if name]
        if job.token is not None:
            found.append(self._by_token.get((job.executor, job.token)))
        return next(filter(None, found), None)

    def _ask_for_one(self, job: Standing, executor: Executor) -> list[Task] | None:
        try:
            task = executor.ask(job.external_id, job.token)
        except ExecutorUnreachable:
            self.unreachable.add(executor.name)
            return None
        return [task] if task else None


def _by_task(tasks: Iterable[Task]) -> Iterable[list[Task]]:
    """What was told of each task, in order; one that is named by its token alone is that of the same token."""
    tasks = list(tasks)
    ids: dict[str | None, str] = {task.token: task.external_id for task in tasks if task.token and task.external_id}
    told: defaultdict[Key, list[Task]] = defaultdict(list)
    for task in tasks:
        external_id = task.external_id or ids.get(task.token)
        told[task.executor, external_id, None if external_id else task.token].append(task)
    return told.values()


def _merge(told: Sequence[Task]) -> list[Task]:
    """The newest of what was told of one task; several only where it is said to have ended in several ways."""
    ends = {task.state: task for task in told if task.state.final}
    if ends:
        return list(ends.values())
    return [max(told, key=lambda task: (_RANK[task.state], task.percent or 0))]


def late_reports(events: Iterable[RecordedEvent]) -> dict[str, list[LateReport]]:
    """What the late reports of each job said, in order."""
    found: defaultdict[str, list[LateReport]] = defaultdict(list)
    for entry in events:
        if isinstance(entry.event.fact, Late):
            said = entry.event.fact.report
            fields: dict[str, Any] = {name: said[name] for name in _TOLD if name in said}
            found[entry.event.job].append(LateReport(said["event"], said.get("external_id"), fields, entry.position))
    return found
