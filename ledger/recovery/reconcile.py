"""Ledger against executors: a plan of verdicts, and the events that it writes when it is applied.

Only what a fenced owner left behind, or what never had an owner, is judged; never a job of a live owner. Under the
append lock a verdict is held once more against the job as it then stands: one that was overtaken is not written, and
the plan is made anew. So recovery may be killed anywhere, run again, and run twice at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ledger import clock
from ledger.application import Ledger
from ledger.domain.commands import Transition, parse_transition
from ledger.domain.decisions import Decision, Disposition, decide
from ledger.domain.job import Job
from ledger.domain.owner import Owner, OwnerEpoch
from ledger.domain.quorum import parent_value
from ledger.domain.states import OUTCOMES
from ledger.errors import ExecutorUnreachable, LedgerError, VersionConflict
from ledger.judgement import judge_past
from ledger.recovery.executors import Executor
from ledger.recovery.knowledge import Knowledge, late_reports
from ledger.recovery.orphans import adoption
from ledger.recovery.plan import Judging, RecoveryPlan, Scope, left_behind, wanted
from ledger.recovery.verdicts import Verdict
from ledger.store.recorder import Judge, Receipt
from ledger.store.recorder import Verdict as Judged
from ledger.store.workspace import Workspace

ACTOR = "recovery"
PAGE_VERDICTS = 500
ROUNDS_MAX = 8
EVERYTHING = Scope()


def speak_as(ledger: Ledger, name: str, *, begin: bool, fencing: bool) -> Ledger:
    """The ledger as an owner in its newest epoch, or in the next one where that is fenced or about to be.

    With `begin` a next epoch is put on record; without, nothing is.
    """
    owner = ledger.owner_states([name])[name]
    if owner.epoch and not owner.fences(owner.epoch) and not fencing:
        return ledger.speak_as(OwnerEpoch(name, owner.epoch))
    if begin:
        return ledger.start_owner(name, actor=ACTOR)
    return ledger.speak_as(OwnerEpoch(name, owner.newest + 1))


class Recovery:
    """Recovers what was left behind; where the ledger speaks as an owner, that owner answers for what stays."""

    def __init__(self, ledger: Ledger, executors: Iterable[Executor] = ()) -> None:
        self._ledger = ledger
        self._executors = list(executors)

    def plan(self, scope: Scope = EVERYTHING) -> RecoveryPlan:
        """What would be written, from what the executors say now; nothing is changed.

        Raises `JobNotFound` for a job that never was.
        """
        return self._plan(scope, Knowledge(self._executors))

    def apply(self, scope: Scope = EVERYTHING) -> RecoveryPlan:
        """Fence, write every verdict, and adopt orphans where that was asked for; what was done is returned.

        What others have settled meanwhile is left as it is.
        """
        found = [name for name in scope.fence if self._fence(name) is Disposition.RECORDED]
        first: RecoveryPlan | None = None
        written = len(found)
        for _ in range(ROUNDS_MAX):
            knowledge = Knowledge(self._executors)
            plan = self._plan(scope, knowledge)
            first = first or plan
            due = [verdict for verdict in plan.verdicts if verdict.records]
            sure = [verdict for verdict in due if self._never_arrives(verdict, knowledge)]
            done, errors = self._write(sure)
            written += done
            if len(sure) == len(due) and not any(isinstance(error, VersionConflict) for error in errors.values()):
                break
        assert first is not None  # noqa: S101 - there is one round at least
        # Orphans come last: killed before, a next run must still see them, and not abandon what one of them may be.
        written += self._adopt(first) if scope.adopt else 0
        return replace(first, fences=found, written=written, errors=errors)

    def _plan(self, scope: Scope, knowledge: Knowledge) -> RecoveryPlan:
        unsettled = self._ledger.unsettled(knowledge.names())
        owners = self._ledger.owner_states({job.owner for job in unsettled.jobs if job.owner} | set(scope.fence))
        below = None if scope.job is None else frozenset(view.job for view in self._ledger.tree(scope.job))
        jobs = [job for job in wanted(unsettled.jobs, scope, below) if left_behind(job, owners, scope.fence)]
        lates = late_reports(self._ledger.lates([job.job for job in jobs]))
        unmatched = knowledge.unmatched(unsettled.jobs, lates)
        known = {job.job: knowledge.of(job, lates.get(job.job, ()), ask=job.active) for job in jobs}
        return RecoveryPlan(
            verdicts=Judging(unsettled, unmatched, self._ledger.owner).judge(known),
            orphans=unmatched,
            fences=[name for name in scope.fence if _lives(owners[name])],
            owners=self._ledger.owners(),
            adopting=scope.adopt,
            position=unsettled.position,
        )

    def _fence(self, name: str) -> Disposition:
        return self._ledger.fence(name, actor=ACTOR, reason="it was said never to return").disposition

    def _never_arrives(self, verdict: Verdict, knowledge: Knowledge) -> bool:
        """Whether a call that never arrived can be kept from arriving later; a verdict about any other job is sure."""
        if verdict.fence_token is None:
            return True
        executor = knowledge.executors[verdict.evidence["executor"]]
        try:
            return executor.fence(verdict.fence_token) is None
        except ExecutorUnreachable:
            return False

    # --- Writing

    def _write(self, verdicts: Sequence[Verdict]) -> tuple[int, dict[str, LedgerError]]:
        """Write verdicts, page by page; the number of events, and the error of each that was not written."""
        written, errors = 0, dict[str, LedgerError]()
        for start in range(0, len(verdicts), PAGE_VERDICTS):
            page = verdicts[start : start + PAGE_VERDICTS]
            batch = [self._transition(record) for verdict in page for record in verdict.records]
            for said, answer in zip(batch, self._ledger.record_each(batch, _holding(page)), strict=True):
                if isinstance(answer, Receipt):
                    written += answer.events
                else:
                    errors.setdefault(said.job, answer)
        return written, errors

    def _transition(self, record: Mapping[str, object]) -> Transition:
        return parse_transition({"actor": ACTOR, **record}, clock.new_id)

    def _adopt(self, plan: RecoveryPlan) -> int:
        written = 0
        for task in plan.orphans:
            batch = [self._transition(record) for record in adoption(task)]
            answers = self._ledger.record_each(batch, judge_past)
            written += sum(answer.events for answer in answers if isinstance(answer, Receipt))
        return written


def _lives(owner: Owner) -> bool:
    return owner.epoch > owner.fenced_through or not owner.newest


def _holding(verdicts: Sequence[Verdict]) -> Judge:
    """The judge that records a verdict only about the job that it was found about, as it still stands."""
    places = {
        (verdict.job, record["event"]): (verdict, place)
        for verdict in verdicts
        for place, record in enumerate(verdict.records)
    }

    def judge(said: Transition, workspace: Workspace) -> Judged:
        verdict, place = places[said.job, said.fact.name]
        job = workspace.job(said.job)
        assert job is not None and verdict.about is not None  # noqa: S101, PT018 - the verdict is about it
        if _settled(job, said):
            return Judged(Decision(Disposition.UNCHANGED, job.version))
        if job.version != verdict.about.version + place:
            raise _overtaken(job, verdict.about.version + place)
        if verdict.value is not None:
            now = parent_value(workspace.children(job.id), cancelling=job.cancel_requested)
            if now is not verdict.value:
                raise _overtaken(job, verdict.about.version + place)
        return Judged(decide(said, clock.now(), workspace))

    return judge


def _settled(job: Job, said: Transition) -> bool:
    """Whether the job has come to that outcome meanwhile, as a parent does in the append that closes its last child."""
    outcome = getattr(said.fact, "outcome", None) or OUTCOMES.get(said.fact.name)
    return said.fact.name != "disputed" and job.closed and outcome is not None and job.outcome is outcome


def _overtaken(job: Job, expected: int) -> VersionConflict:
    return VersionConflict(
        f"Job {job.id} must be at version {expected} as it was looked at, and it is at {job.version}.",
        job=job.id,
        version=job.version,
        expected=expected,
    )
