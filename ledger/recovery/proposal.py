"""What recovery is to look at, and what it proposes: verdicts, leaves first, each as those before it leave the rest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ledger.asking.answers import OwnerView, Standing, Unsettled
from ledger.domain.owner import Owner
from ledger.domain.quorum import Child, Family, parent_value
from ledger.domain.states import OUTCOMES, EndAction, Outcome, Phase
from ledger.errors import LedgerError
from ledger.executors.protocol import Task
from ledger.recovery.knowledge import Account
from ledger.recovery.verdicts import Known, Verdict, judge_leaf, judge_parent

STAYING = ("stays", "accepted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to recover: the jobs of one owner, one job and all below it, or all.

    `fence` names owners that never return; `adopt` asks that tasks which no job accounts for be put on record, whatever
    the jobs that are asked for.
    """

    owner: str | None = None
    job: str | None = None
    fence: tuple[str, ...] = ()
    adopt: bool = False

    @property
    def owners(self) -> set[str]:
        """The owners that are named."""
        return {*self.fence, *([self.owner] if self.owner is not None else [])}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPlan:
    """What recovery proposes, as of a position, and what it only lists.

    A verdict without records says that a job stays, or that an end action is due. `fences` are owners yet to be fenced.
    Once `applied`, the verdicts are those that were written, `written` counts their events, and `errors` has what could
    not be written, by job.
    """

    verdicts: Sequence[Verdict]
    orphans: Sequence[Task]
    fences: Sequence[str]
    owners: Sequence[OwnerView]
    adopting: bool
    position: int
    applied: bool = False
    written: int = 0
    errors: Mapping[str, LedgerError] = field(default_factory=dict)

    @property
    def work(self) -> bool:
        """Whether applying the plan would write anything, or, once applied, whether some of it could not be written."""
        if self.applied:
            return bool(self.errors)
        return bool(self.fences or any(it.records for it in self.verdicts) or (self.adopting and self.orphans))

    @property
    def due(self) -> list[str]:
        """The parents whose end action waits for an owner to claim it."""
        return [verdict.job for verdict in self.verdicts if verdict.word == "due"]

    def as_json(self) -> dict[str, Any]:
        """The plan, ready for JSON."""
        return {
            "verdicts": [verdict.as_json() for verdict in self.verdicts],
            "due": self.due,
            "orphans": [task.model_dump(mode="json", exclude_defaults=True) for task in self.orphans],
            "fences": list(self.fences),
            "owners": [owner.as_json() for owner in self.owners],
            "work": self.work,
            "applied": self.applied,
            "written": self.written,
            "errors": {job: str(error) for job, error in self.errors.items()},
            "position": self.position,
        }


class Judging:
    """Judges jobs leaves first, so that each parent is judged by its children as the verdicts leave them."""

    def __init__(self, unsettled: Unsettled, account: Account, *, owned: bool) -> None:
        self._unsettled = unsettled
        self._account = account
        self._by_owner = owned  # who recovers as an owner answers for what stays
        self._outcomes: dict[str, Outcome] = {}

    def judge(self, known: Mapping[str, Known]) -> list[Verdict]:
        """The verdicts about the jobs of which something is known, or known to be unknown."""
        deepest_first = sorted(self._unsettled.jobs, key=lambda job: -job.depth)
        return [verdict for job in deepest_first for verdict in self._judge_one(job, known.get(job.job))]

    def _judge_one(self, job: Standing, known: Known | None) -> Iterator[Verdict]:
        children = self._children(job)
        verdict = None
        if known is not None:
            verdict = judge_parent(job, children, known) if children else self._judge_leaf(job, known)
        if verdict is not None:
            verdict = self._owned(verdict)
            self._note(verdict)
            yield verdict
        if children and job.end_action is EndAction.AUTO and job.job not in self._outcomes:
            self._close_with_children(job, children)

    def _judge_leaf(self, job: Standing, known: Known) -> Verdict | None:
        return judge_leaf(job, known, self._account.candidates(job) if job.phase is Phase.PLANNED else ())

    def _children(self, job: Standing) -> list[Child]:
        told = self._unsettled.children.get(job.job, ())
        return [replace(child, outcome=self._outcomes.get(child.job, child.outcome)) for child in told]

    def _owned(self, verdict: Verdict) -> Verdict:
        """The verdict with the adoption that goes with it."""
        if not self._by_owner or verdict.word not in STAYING:
            return verdict
        record = {"job": verdict.job, "event": "adopted", "reason": verdict.reason}
        return replace(verdict, records=(*verdict.records, record))

    def _note(self, verdict: Verdict) -> None:
        for record in verdict.records:
            if record["event"] == "resolved":
                self._outcomes[verdict.job] = Outcome(record["outcome"])
            elif record["event"] in OUTCOMES:
                self._outcomes[verdict.job] = OUTCOMES[record["event"]]

    def _close_with_children(self, job: Standing, children: Sequence[Child]) -> None:
        """Foresee what the ledger does by itself: such a parent closes in the append that closes its last child."""
        if job.outcome is None and all(child.outcome is not None for child in children):
            self._outcomes[job.job] = Outcome(str(parent_value(Family(children), cancelling=job.cancel_requested)))


def left_behind(
    jobs: Iterable[Standing], scope: Scope, owners: Mapping[str, Owner], below: frozenset[str] | None
) -> list[Standing]:
    """The jobs that a scope speaks of and nobody answers for; `below` are those of the tree of its job."""
    return [
        job
        for job in jobs
        if (scope.owner is None or job.owner == scope.owner)
        and (below is None or job.job in below)
        # Without an owner, or with one that is fenced or about to be.
        and (job.owner is None or job.owner in scope.fence or owners[job.owner].left_behind(job.epoch))
    ]
