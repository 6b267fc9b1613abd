"""What may have become of a job, from what the ledger says and what its executor says: the one table of recovery.

Pure. The rows of the table are the functions of `_LEAVES`; parents are judged by their children (rule 4). A verdict is
what would be recorded, with the evidence for it; absence is evidence of nothing, so it never becomes an outcome.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ledger.asking.answers import Standing
from ledger.domain.facts import named
from ledger.domain.quorum import Child, Family, QuorumValue, evidence, in_the_way, parent_value
from ledger.domain.states import EndAction, Outcome, Phase
from ledger.executors.protocol import Task, TaskState

WORKING = (Phase.QUEUED, Phase.RUNNING, Phase.SUSPENDED, Phase.CLOSING)
TASKS_SHOWN_MAX = 10

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LateReport:
    """What a report said that came too late to be applied: its event, its error and result, and where it stands."""

    event: str
    external_id: str | None
    said: Facts
    position: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one job beyond the ledger's own state.

    `tasks` are those that its executor tells under its names; where there are several, or one that cannot be its own,
    that `contradicts` itself or the ledger. `asked` says that its executor was asked and answered, `complete` that the
    answer names every task that was ever sent, under its token.
    """

    tasks: Sequence[Task] = ()
    contradicts: bool = False
    asked: bool = False
    reachable: bool = True
    complete: bool = False
    lates: Sequence[LateReport] = ()

    @property
    def task(self) -> Task | None:
        """The task, where there is one and no contradiction."""
        return None if self.contradicts or not self.tasks else self.tasks[0]

    @property
    def outcome_told_late(self) -> LateReport | None:
        """The last of the late reports that say what became of the job, where they say the same."""
        told = [late for late in self.lates if late.event in _OUTCOMES_TOLD]
        return told[-1] if len({late.event for late in told}) == 1 else None

    @property
    def sent(self) -> bool:
        """Whether a late report shows that the executor was called after all."""
        return any(late.event in _SENT or late.event in _OUTCOMES_TOLD for late in self.lates)


_OUTCOMES_TOLD = ("succeeded", "failed", "cancelled")
_NOT_IN_OUTCOMES_TOLD = named(
    "planned refused submitted accepted started progressed suspended resumed cancel_requested attached detached "
    "contact_lost contact_regained closing adopted abandoned lost resolved disputed late hold_placed hold_lifted "
    "expired"
)
_SENT = ("accepted", "started", "progressed", "suspended", "resumed")
_NOT_IN_SENT = named(
    "planned refused submitted cancel_requested attached detached contact_lost contact_regained closing adopted "
    "succeeded failed cancelled abandoned lost resolved disputed late hold_placed hold_lifted expired"
)
NOTHING = Known()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What recovery says of a job: one word, why, the evidence, and the transition records that would say so.

    `about` is the job as it was looked at, `value` what its children then amounted to. `fence_token` is that of a call
    that never arrived, and must be kept from arriving later.
    """

    job: str
    word: str
    reason: str
    evidence: Any = None
    records: tuple[Facts, ...] = ()
    about: Standing | None = None
    value: QuorumValue | None = None
    fence_token: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The verdict, ready for JSON."""
        return {
            "job": self.job,
            "type": self.about.type if self.about else None,
            "phase": self.about.phase if self.about else None,
            "outcome": self.about.outcome if self.about else None,
            "verdict": self.word,
            "reason": self.reason,
            "evidence": self.evidence,
            "events": [record["event"] for record in self.records],
        }


def judge_leaf(job: Standing, known: Known, unmatched: Sequence[Task]) -> Verdict | None:
    """The verdict about a job without children; None where there is nothing to say.

    `unmatched` are the tasks that no job accounts for, in any listing.
    """
    if not job.active:
        return _judge_closed(job, known)
    if job.phase is Phase.CLOSED:
        return _judge_unknown(job, known)
    if known.contradicts:
        shown = [task.told() for task in known.tasks[:TASKS_SHOWN_MAX]]
        return _lost(job, "what the executor says cannot be so", {"tasks": shown})
    if not known.reachable and job.phase is not Phase.PLANNED:
        return _unreachable(job)
    return _LEAVES.get(job.phase, _judge_working)(job, known, unmatched)


def _judge_planned(job: Standing, known: Known, unmatched: Sequence[Task]) -> Verdict:
    if known.task is not None:
        return _as_told(job, known.task)
    if known.outcome_told_late is not None:
        return _as_told_late(job, known.outcome_told_late)
    if known.sent:
        return _lost(job, "a late report shows that it was sent", _late_evidence(known.lates[-1]))
    if unmatched:
        shown = [task.told() for task in unmatched[:TASKS_SHOWN_MAX]]
        told = {"unmatched": shown, "count": len(unmatched)}
        return _lost(job, "it may be one of the tasks that no job accounts for", told)
    return _abandoned(job, "it was never sent", {"phase": str(job.phase)})


def _judge_submitted(job: Standing, known: Known, _unmatched: Sequence[Task]) -> Verdict:
    if known.task is not None:
        return _as_told(job, known.task)
    if known.outcome_told_late is not None:
        return _as_told_late(job, known.outcome_told_late)
    if known.sent:
        return _lost(
            job, "a late report shows that it arrived, and nobody can say more", _late_evidence(known.lates[-1])
        )
    if known.complete:
        told = {"executor": job.executor, "token": job.token, "listing": "complete"}
        return replace(_abandoned(job, "the call never arrived", told), fence_token=job.token)
    told = {"executor": job.executor, "token": job.token} | _asked(known)
    return _lost(job, "nobody can say whether the call arrived", told)


def _judge_working(job: Standing, known: Known, _unmatched: Sequence[Task]) -> Verdict:
    if known.task is not None:
        return _as_told(job, known.task)
    if known.outcome_told_late is not None:
        return _as_told_late(job, known.outcome_told_late)
    told = {"executor": job.executor, "external_id": job.external_id} | _asked(known)
    why = "its executor names no such task" if known.asked else "nothing is known from its executor"
    return _lost(job, why, told)


def _asked(known: Known) -> dict[str, Any]:
    return {"asked": known.asked}


_LEAVES: Mapping[Phase, Callable[[Standing, Known, Sequence[Task]], Verdict]] = {
    Phase.PLANNED: _judge_planned,
    Phase.SUBMITTED: _judge_submitted,
    **dict.fromkeys(WORKING, _judge_working),
}


def _judge_unknown(job: Standing, known: Known) -> Verdict | None:
    """A job that was given up as unknown: whoever says now what became of it resolves it."""
    task, late = known.task, known.outcome_told_late
    if task is not None and task.state.final:
        fields = _outcome_fields(task) | {"evidence": {"task": task.told()}}
        return _resolved(job, Outcome(str(task.state)), f"{task.executor} says so", fields)
    if task is None and late is not None:
        fields = {**late.said, "evidence": _late_evidence(late)}
        return _resolved(job, Outcome(late.event), "a late report says so", fields)
    return None


def _judge_closed(job: Standing, known: Known) -> Verdict | None:
    """A job that is closed: a task that still runs, or that ran though it was never to be sent, speaks against that."""
    task = known.task
    if task is None or job.disputed or not (job.outcome is Outcome.ABANDONED or not task.state.final):
        return None
    told = {"task": task.told()}
    why = f"{task.executor} says {task.state}"
    record = _record(job, "disputed", why, {"evidence": told, "raw": task.raw})
    return _verdict(job, "disputed", why, told, (record,))


def _unreachable(job: Standing) -> Verdict:
    why = f"{job.executor} cannot be reached; it is to be asked again"
    records = () if job.contact_lost else (_record(job, "contact_lost", why, {}),)
    return _verdict(job, "contact_lost", why, {"executor": job.executor}, records)


def _as_told(job: Standing, task: Task) -> Verdict:
    """What an executor says of a job that is open: bound to its task first, where it is not yet."""
    found = "it was found by its token, and " if job.phase is Phase.SUBMITTED and task.token == job.token else ""
    told, why = {"task": task.told()}, f"{found}{task.executor} says {task.state}"
    records = []
    if job.external_id is None and task.external_id is not None:
        said = {"executor": task.executor, "external_id": task.external_id, "raw": task.raw}
        records.append(_record(job, "accepted", why, said))
    if task.state.final:
        fields = _outcome_fields(task) | {"evidence": told}
        records.append(_record(job, str(task.state), why, fields))
        return _verdict(job, str(task.state), why, told, tuple(records))
    if job.contact_lost:
        records.append(_record(job, "contact_regained", why, {}))
    if job.phase not in WORKING and task.state is not TaskState.QUEUED:
        word = "started" if task.state is TaskState.RUNNING else "suspended"
        records.append(_record(job, word, why, {"raw": task.raw}))
    word = "stays" if job.phase in WORKING or not records else "accepted"
    return _verdict(job, word, why, told, tuple(records))


def _outcome_fields(task: Task) -> dict[str, Any]:
    said = task.model_dump(mode="json", exclude_defaults=True)
    return {name: said[name] for name in ("raw", "error", "result", "products") if name in said}


def _as_told_late(job: Standing, late: LateReport) -> Verdict:
    told, why = _late_evidence(late), f"a late report says {late.event}"
    record = _record(job, late.event, why, {**late.said, "evidence": told})
    return _verdict(job, late.event, why, told, (record,))


def _late_evidence(late: LateReport) -> dict[str, Any]:
    return {"late": {"event": late.event, "position": late.position}}


def _lost(job: Standing, why: str, told: Any) -> Verdict:
    return _verdict(job, "unknown", why, told, (_record(job, "lost", why, {"evidence": told}),))


def _abandoned(job: Standing, why: str, told: Any) -> Verdict:
    return _verdict(job, "abandoned", why, told, (_record(job, "abandoned", why, {"evidence": told}),))


def _resolved(job: Standing, outcome: Outcome, why: str, fields: Facts) -> Verdict:
    record = _record(job, "resolved", why, {"outcome": str(outcome), **fields})
    return _verdict(job, "resolved", f"{why}: {outcome}", fields.get("evidence"), (record,))


def _verdict(job: Standing, word: str, why: str, told: Any = None, records: tuple[Facts, ...] = ()) -> Verdict:
    return Verdict(job.job, word, why, told, records, about=job)


def _record(job: Standing, event: str, why: str, fields: Facts) -> Facts:
    said = {name: value for name, value in fields.items() if value is not None}
    return {"job": job.job, "event": event, "reason": why, **said}


# --- Parents


def judge_parent(job: Standing, children: Sequence[Child], known: Known) -> Verdict | None:
    """The verdict about a job with children, as the verdicts about them leave them; None where there is none yet."""
    if not job.active:
        return judge_leaf(job, known, ())
    value = parent_value(Family(children), cancelling=job.cancel_requested)
    if job.phase is Phase.CLOSED:
        found = _judge_unknown_parent(job, children, value, known)
    else:
        found = _judge_open_parent(job, children, value, known)
    return replace(found, about=job, value=value) if found else None


def _judge_open_parent(job: Standing, children: Sequence[Child], value: QuorumValue, known: Known) -> Verdict | None:
    told = evidence(Family(children))
    if value in (QuorumValue.FAILED, QuorumValue.CANCELLED):
        word, why = str(value), _why_not(children)
        return _verdict(job, word, why, told, (_record(job, word, why, {"evidence": told}),))
    if value is QuorumValue.UNKNOWN:
        return _lost(job, "nobody can say what became of a required child", told)
    if value is QuorumValue.UNDECIDED:
        return _verdict(job, "stays", "its children are undecided")
    return _judge_succeeded_parent(job, children, known)


def _judge_succeeded_parent(job: Standing, children: Sequence[Child], known: Known) -> Verdict | None:
    """A parent whose required children have succeeded: how it was planned to close decides."""
    if job.end_action is EndAction.NONE:
        # Whatever its own phase, its executor alone can say whether its own part of the work was done.
        return judge_leaf(replace(job, phase=Phase.RUNNING), known, ())
    if any(child.outcome is None for child in children):
        return _verdict(job, "stays", "a child that it does not require is open")
    if job.end_action is EndAction.OWNER:
        return _verdict(job, "due", "its children have succeeded, and its end action is due")
    why = "its required children have succeeded"
    return _verdict(job, "succeeded", why, None, (_record(job, "succeeded", why, {}),))


def _judge_unknown_parent(job: Standing, children: Sequence[Child], value: QuorumValue, known: Known) -> Verdict | None:
    settled = value in (QuorumValue.FAILED, QuorumValue.CANCELLED) or (
        value is QuorumValue.SUCCEEDED and job.end_action is EndAction.AUTO
    )
    if settled:
        return _resolved(job, Outcome(str(value)), "its children are settled", {"evidence": evidence(Family(children))})
    return _judge_unknown(job, known) if value is QuorumValue.SUCCEEDED else None


def _why_not(children: Sequence[Child]) -> str:
    ends = {child.job: child.outcome for child in children}
    blocking = in_the_way(Family(children))
    never = [name for name in blocking if ends[name] is Outcome.ABANDONED]
    names = never or blocking
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")  # noqa: PLR2004
    return f"{shown} {'was' if len(names) == 1 else 'were'} never sent" if never else f"{shown} did not succeed"
