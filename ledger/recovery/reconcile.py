"""Ledger against executors: a plan of verdicts, and the events that it writes when it is applied.

Only what a fenced owner left behind, or what never had an owner, is judged; never a job of a live owner. Under the
append lock a verdict is held once more against the job as it then stands: one that was overtaken is not written, and
the plan is made anew. So recovery may be killed anywhere, run again, and run twice at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledger import clock
from ledger.appending.judge import Judge, Judgement, judge_past
from ledger.appending.workspace import Workspace
from ledger.application import EnvelopeFields, Ledger
from ledger.domain.commands import Transition, parse_transition
from ledger.domain.decisions import Decision, Disposition, decide
from ledger.domain.epoch import OwnerEpoch
from ledger.domain.facts import outcome_of
from ledger.domain.job import Job
from ledger.domain.owner import Owner
from ledger.domain.quorum import parent_value
from ledger.domain.receipt import Receipt
from ledger.errors import BadInput, ExecutorUnreachable, LedgerError, VersionConflict
from ledger.executors.protocol import Executor, Task
from ledger.recovery.knowledge import Knowledge, late_reports
from ledger.recovery.orphans import adoption, job_of
from ledger.recovery.proposal import Judging, RecoveryPlan, Scope, left_behind
from ledger.recovery.verdicts import Known, Verdict, judge_leaf

ACTOR = "recovery"
PAGE_VERDICTS = 500
ROUNDS_MAX = 8
EVERYTHING = Scope()


class Recovery:
    """Recovers what was left behind.

    Where the ledger speaks as an owner, or `as_owner` names one, that owner answers for what stays, and has to go on
    with it: nobody recovers the jobs of a live owner. A named one is taken in its newest epoch, or in a new one where
    that is fenced.
    """

    def __init__(self, ledger: Ledger, executors: Iterable[Executor] = (), *, as_owner: str | None = None) -> None:
        self._ledger = ledger
        self._executors = list(executors)
        self._as_owner = as_owner

    def plan(self, scope: Scope = EVERYTHING) -> RecoveryPlan:
        """What would be written, from what the executors say now; nothing is changed.

        Raises `JobNotFound` and `OwnerNotFound` for what never was.
        """
        knowledge = Knowledge(self._executors)
        unsettled = self._ledger.unsettled(knowledge.names())
        owners = {job.owner for job in unsettled.jobs if job.owner}
        census = self._ledger.census(unsettled, owners | scope.owners)
        self._check(scope, census.states)
        below = None if scope.job is None else frozenset(view.job for view in self._ledger.tree(scope.job))
        jobs = left_behind(unsettled.jobs, scope, census.states, below)
        lates = late_reports(jobs, self._ledger.lates([job.job for job in jobs]))
        account = knowledge.account(unsettled.jobs, lates)
        known = {job.job: knowledge.of(job, account, lates.get(job.job, ()), ask=job.active) for job in jobs}
        owned = self._as_owner is not None or self._ledger.owner is not None
        return RecoveryPlan(
            verdicts=Judging(unsettled, account, owned=owned).judge(known),
            orphans=account.unmatched,
            fences=[name for name in scope.fence if _live(census.states[name]) or not census.states[name].newest],
            owners=census.views,
            adopting=scope.adopt,
            position=unsettled.position,
        )

    def apply(self, scope: Scope = EVERYTHING, plan: RecoveryPlan | None = None) -> RecoveryPlan:
        """Fence, write every verdict, and adopt orphans where that was asked for; what was done is returned.

        What others have settled meanwhile is left as it is. `plan` is that of this scope, where it was just looked at;
        it is made anew where owners have been fenced since.
        """
        fences = self._fence(scope) if scope.fence else []
        if plan is None or fences:
            plan = self.plan(scope)
        work = _Work(self._begin_speaker(), self._executors)
        for _ in range(ROUNDS_MAX):
            if not work.go_on(plan):
                break
            plan = self.plan(scope)
        # Orphans come last: killed before, a next run must still see them, and not abandon what one of them may be.
        if scope.adopt:
            work.adopt(plan.orphans)
        return replace(plan, verdicts=work.verdicts(plan), fences=fences, applied=True, **work.counts(len(fences)))

    def _fence(self, scope: Scope) -> list[str]:
        """Fence the owners that never return, none of them where one never was; those that were fenced by this."""
        self._check(scope, self._ledger.owner_states(scope.owners))
        said: EnvelopeFields = {"actor": ACTOR, "reason": "it was said never to return"}
        return [name for name in scope.fence if self._ledger.fence(name, **said).disposition is Disposition.RECORDED]

    def _check(self, scope: Scope, owners: Mapping[str, Owner]) -> None:
        for name in scope.owners:
            if not owners[name].newest:  # no event speaks of it, and whether a job does is a long search
                self._ledger.newest_epoch(name)

    def _begin_speaker(self) -> Ledger:
        if self._as_owner is None:
            return self._ledger
        owner = self._ledger.owner_states([self._as_owner])[self._as_owner]
        if _live(owner):
            return self._ledger.speak_as(OwnerEpoch(self._as_owner, owner.epoch), owner.begun_by)
        with self._ledger.start_owner(self._as_owner, actor=ACTOR) as begun:
            return begun  # which speaks on when its lease is let go


def _live(owner: Owner) -> bool:
    return owner.epoch > owner.fenced_through


class _Work:
    """What one recovery has written so far."""

    def __init__(self, ledger: Ledger, executors: Iterable[Executor]) -> None:
        self._ledger = ledger
        self._executors = {executor.name: executor for executor in executors}
        self._written = 0
        self._done: dict[str, Verdict] = {}
        self._errors: dict[str, LedgerError] = {}

    def counts(self, fences: int) -> dict[str, Any]:
        """How much was written, and what was not."""
        return {"written": self._written + fences, "errors": self._errors}

    def verdicts(self, last: RecoveryPlan) -> list[Verdict]:
        """What was written, and what the last look found that needs no writing, or could not be written."""
        rest = [it for it in last.verdicts if it.job not in self._done and (not it.records or it.job in self._errors)]
        return [*self._done.values(), *rest]

    def go_on(self, plan: RecoveryPlan) -> bool:
        """Write a plan; whether some of it was overtaken, so that it is to be made anew."""
        self._errors = {}
        due = [self._sure(verdict) for verdict in plan.verdicts if verdict.records]
        sure = [verdict for verdict in due if verdict is not None]
        for start in range(0, len(sure), PAGE_VERDICTS):
            self._write(sure[start : start + PAGE_VERDICTS])
        return any(isinstance(error, VersionConflict | ExecutorUnreachable) for error in self._errors.values())

    def _sure(self, verdict: Verdict) -> Verdict | None:
        """A verdict that nothing can overtake any more: a call that never arrived is kept from arriving later."""
        if verdict.fence_token is None or verdict.about is None:
            return verdict
        try:
            task = self._executors[str(verdict.about.executor)].fence(verdict.fence_token)
        except ExecutorUnreachable as error:
            self._errors[verdict.job] = error
            return None
        return verdict if task is None else judge_leaf(verdict.about, Known(tasks=[task], asked=True), ())

    def _write(self, page: Sequence[Verdict]) -> None:
        told = {verdict.job: self._transitions(verdict.job, verdict.records) for verdict in page}
        batch = [said for transitions in told.values() for said in transitions]
        for said, answer in zip(batch, self._ledger.record_each(batch, _holding(page)), strict=True):
            self._count(said.job, answer)
        self._done |= {verdict.job: verdict for verdict in page if verdict.job not in self._errors}

    def _count(self, job: str, answer: Receipt | LedgerError) -> None:
        if isinstance(answer, Receipt):
            self._written += answer.events
        else:
            self._errors.setdefault(job, answer)

    def _transitions(self, job: str, records: Iterable[Mapping[str, Any]]) -> list[Transition]:
        try:
            return [parse_transition({"actor": ACTOR, **record}, clock.new_id) for record in records]
        except BadInput as error:  # what an executor says may be longer than the ledger takes
            self._errors[job] = error
            return []

    def adopt(self, orphans: Sequence[Task]) -> None:
        """Put tasks on record that no job accounts for, each in an append of its own."""
        for task in orphans:
            batch = self._transitions(job_of(task), adoption(task))
            for said, answer in zip(batch, self._ledger.record_each(batch, judge_past) if batch else [], strict=True):
                self._count(said.job, answer)


def _holding(verdicts: Sequence[Verdict]) -> Judge:
    """The judge that records a verdict only about the job that it was found about, as it still stands."""
    places = {
        (verdict.job, record["event"]): (verdict, place)
        for verdict in verdicts
        for place, record in enumerate(verdict.records)
    }

    def judge(said: Transition, workspace: Workspace) -> Judgement:
        verdict, place = places[said.job, said.fact.name]
        job = workspace.job(said.job)
        assert job is not None and verdict.about is not None  # noqa: S101, PT018 - the verdict is about it
        if _settled(job, said):
            return Judgement(Decision(Disposition.UNCHANGED, job.version))
        if job.version != verdict.about.version + place:
            raise _overtaken(job, verdict.about.version + place)
        if verdict.value is not None:
            now = parent_value(workspace.families.family(job.id), cancelling=job.cancel_requested)
            if now is not verdict.value:
                raise _overtaken(job, verdict.about.version + place)
        return Judgement(decide(said, clock.now(), workspace))

    return judge


def _settled(job: Job, said: Transition) -> bool:
    """Whether the job has come to that outcome meanwhile, as a parent does in the append that closes its last child."""
    outcome = outcome_of(said.fact)
    return job.closed and outcome is not None and job.outcome is outcome


def _overtaken(job: Job, expected: int) -> VersionConflict:
    return VersionConflict(
        f"Job {job.id} must be at version {expected} as it was looked at, and it is at {job.version}.",
        job=job.id,
        version=job.version,
        expected=expected,
    )
