"""What executors say, gathered once and held against the names of jobs.

An executor may speak of a task twice and out of order: an end outlasts what came before it, and two different ends
contradict each other, so that nobody can say.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.asking.answers import Name, Standing
from ledger.domain.events import Late, RecordedEvent
from ledger.errors import ExecutorUnreachable, MalformedRecord
from ledger.executors.protocol import Executor, Listing, Task, TaskState
from ledger.recovery.orphans import is_adopted
from ledger.recovery.verdicts import NOTHING, Known, LateReport

Key = tuple[str, str | None, str | None]
Told = list[Task]
Bound = Mapping[tuple[str | None, str | None], str]
_TOLD = ("error", "result", "products", "warnings", "raw")
_RANK = {TaskState.QUEUED: 0, TaskState.RUNNING: 1, TaskState.SUSPENDED: 1}


class Knowledge:
    """The listings of the executors that were asked, by the names of their tasks.

    Raises `MalformedRecord` where two executors have the same name.
    """

    def __init__(self, executors: Iterable[Executor] = ()) -> None:
        self.executors: dict[str, Executor] = {}
        self.unreachable: set[str] = set()
        self._listings: dict[str, Listing] = {}
        self._by_external_id: dict[tuple[str, str], Told] = {}
        self._by_token: defaultdict[tuple[str, str], list[Told]] = defaultdict(list)
        self._all: list[Told] = []
        for executor in executors:
            if executor.name in self.executors:
                raise MalformedRecord(f"Executors must have names of their own, and two are called {executor.name}.")
            self.executors[executor.name] = executor
            self._ask_for_all(executor)

    def _ask_for_all(self, executor: Executor) -> None:
        try:
            listing = executor.list()
        except ExecutorUnreachable:
            listing = Listing(executor.name, reachable=False)
        if not listing.reachable:
            self.unreachable.add(executor.name)
            return
        self._listings[executor.name] = listing
        for lines in _by_task(listing.tasks):
            told = _merge(lines)
            self._all.append(told)
            if told[0].external_id is not None:
                self._by_external_id[executor.name, told[0].external_id] = told
            for token in {line.token for line in lines if line.token is not None}:
                self._by_token[executor.name, token].append(told)

    def names(self) -> list[Name]:
        """What the tasks are called, to find the jobs that bear these names."""
        return [Name(told[0].executor, told[0].external_id, told[0].token) for told in self._all]

    def account(self, jobs: Iterable[Standing], lates: Mapping[str, Sequence[LateReport]]) -> "Account":
        """Which job accounts for which task."""
        jobs = list(jobs)
        bound: Bound = {(job.executor, job.external_id): job.job for job in jobs if job.executor and job.external_id}
        by_job = {job.job: self._told_of(job, lates.get(job.job, ())) for job in jobs}
        named = {id(told) for found in by_job.values() for told in found}
        adopted = [(job.planned_position, told[0]) for job in jobs if is_adopted(job) for told in by_job[job.job]]
        return Account(by_job, bound, [told[0] for told in self._all if id(told) not in named], adopted)

    def of(self, job: Standing, account: "Account", lates: Sequence[LateReport], *, ask: bool) -> Known:
        """What is known of a job; with `ask`, an executor whose listing is not complete is asked for it by name."""
        if job.executor is None:
            return Known(lates=lates) if lates else NOTHING
        listing = self._listings.get(job.executor)
        found = account.by_job.get(job.job, [])
        if not found and ask and listing is not None and not listing.complete:
            found = self._ask_for_one(job, self.executors[job.executor])
        tasks = [task for told in found for task in told]
        return Known(
            tasks=tasks,
            contradicts=len(tasks) > 1 or any(not account.may_be(job, task) for task in tasks),
            asked=listing is not None,
            reachable=job.executor not in self.unreachable,
            complete=listing is not None and _names_every_call(listing, job) and not account.loose(job.executor),
            lates=lates,
        )

    def _told_of(self, job: Standing, lates: Sequence[LateReport]) -> list[Told]:
        """What was told under the names of a job; several where these are the names of several tasks."""
        if job.executor is None:
            return []
        ids = [job.external_id, *(late.external_id for late in lates)]
        found = [self._by_external_id.get((job.executor, name)) for name in ids if name]
        found += self._by_token.get((job.executor, job.token), []) if job.token else []
        return list({id(told): told for told in found if told}.values())

    def _ask_for_one(self, job: Standing, executor: Executor) -> list[Told]:
        try:
            task = executor.ask(job.external_id, job.token)
        except ExecutorUnreachable:
            self.unreachable.add(executor.name)
            return []
        return [[task]] if task else []


@dataclass(frozen=True, slots=True)
class Account:
    """Which tasks were told of which job, and of none: `unmatched`; `adopted` once were, until that position."""

    by_job: Mapping[str, Sequence[Told]]
    bound: Bound
    unmatched: Sequence[Task]
    adopted: Sequence[tuple[int, Task]]

    def may_be(self, job: Standing, task: Task) -> bool:
        """Whether a task can be that of a job: it is not another's, nor another than the one that is bound to it."""
        if task.external_id is None:
            return True
        holder = self.bound.get((task.executor, task.external_id), job.job)
        return holder == job.job and job.external_id in (None, task.external_id)

    def loose(self, executor: str) -> bool:
        """Whether an executor has a task without a token that no job accounts for: any call may have become that."""
        return any(task.token is None for task in self.unmatched if task.executor == executor)

    def candidates(self, job: Standing) -> list[Task]:
        """The tasks that an unsent job may be: nobody accounted for them when it was already on record."""
        return [*self.unmatched, *(task for position, task in self.adopted if position > job.planned_position)]


def _names_every_call(listing: Listing, job: Standing) -> bool:
    return listing.complete and listing.tokens and job.token is not None


def _by_task(tasks: Iterable[Task]) -> Iterable[list[Task]]:
    """What was told of each task, in order; one that is named by its token alone is that of the same token."""
    tasks = list(tasks)
    ids: dict[str | None, str] = {task.token: task.external_id for task in tasks if task.token and task.external_id}
    told: defaultdict[Key, list[Task]] = defaultdict(list)
    for task in tasks:
        external_id = task.external_id or ids.get(task.token)
        told[task.executor, external_id, None if external_id else task.token].append(task)
    return told.values()


def _merge(lines: Sequence[Task]) -> Told:
    """The newest of what was told of one task, under all its names; several where it ended in several ways."""
    ends = {task.state: task for task in lines if task.state.final}
    newest = list(ends.values()) or [max(lines, key=lambda task: (_RANK[task.state], task.percent or 0))]
    names = {
        "external_id": next((line.external_id for line in lines if line.external_id), None),
        "token": next((line.token for line in lines if line.token), None),
    }
    return [task.model_copy(update=names) for task in newest]


def late_reports(jobs: Iterable[Standing], events: Iterable[RecordedEvent]) -> dict[str, list[LateReport]]:
    """What the late reports of each job said since it was last planned: the last of each kind and name, in order.

    However many came, no more are kept.
    """
    planned = {job.job: job.planned_position for job in jobs}
    found: defaultdict[str, dict[tuple[str, str | None], LateReport]] = defaultdict(dict)
    for entry in events:
        if isinstance(entry.event.fact, Late) and entry.position > planned[entry.event.job]:
            said = entry.event.fact.report
            fields: dict[str, Any] = {name: said[name] for name in _TOLD if name in said}
            report = LateReport(said["event"], said.get("external_id"), fields, entry.position)
            found[entry.event.job].pop((report.event, report.external_id), None)  # the last one stands last
            found[entry.event.job][report.event, report.external_id] = report
    return {job: list(reports.values()) for job, reports in found.items()}
