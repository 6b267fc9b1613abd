"""How one transition is judged under the append lock: decided first, then held against what is running."""

from collections.abc import Callable
from typing import NamedTuple

from ledger import clock
from ledger.appending.workspace import Workspace
from ledger.domain.admission import Beside, Blockers, blockers
from ledger.domain.commands import Transition
from ledger.domain.decisions import Decision, decide, refuse
from ledger.domain.events import Attached
from ledger.errors import EntityBusy

BLOCKERS_SHOWN = 5


class Judgement(NamedTuple):
    """A decision with what admission saw: whom an imported transition ran beside, the first of them, and how many."""

    decision: Decision
    overlaps: tuple[Beside, ...] = ()
    overlapping: int = 0


Judge = Callable[[Transition, Workspace], Judgement]


def judge_now(said: Transition, workspace: Workspace) -> Judgement:
    """What happens now: a plan or an attach in the way of others is refused."""
    decision = decide(said, clock.now(), workspace)
    found = blockers(decision.events, workspace)
    return _refused(said, workspace, found) if found else Judgement(decision)


def judge_unrecorded(said: Transition, workspace: Workspace) -> Judgement:
    """What happens now, for a caller who wants no refusal on record."""
    decision = decide(said, clock.now(), workspace)
    found = blockers(decision.events, workspace)
    if found:
        raise _busy(said, found)
    return Judgement(decision)


def judge_past(said: Transition, workspace: Workspace) -> Judgement:
    """What has already happened: nothing is refused for being busy, but the overlaps are told."""
    decision = _decide_past(said, workspace)
    found = blockers(decision.events, workspace)
    if not found:
        return Judgement(decision)
    conflicts = [it for it in found.shown if not it.limit]
    beside = {Beside(f"{it.holder.type}/{it.holder.id}", it.holder.job) for it in conflicts}
    more = found.count - len(found.shown) if conflicts else 0
    return Judgement(decision, tuple(sorted(beside)), len(beside) + more)


def judge_admitting(said: Transition, workspace: Workspace) -> Judgement:
    """What has already happened elsewhere, and is let in here only where nothing is in the way."""
    decision = _decide_past(said, workspace)
    found = blockers(decision.events, workspace)
    return _refused(said, workspace, found) if found else Judgement(decision)


def _decide_past(said: Transition, workspace: Workspace) -> Decision:
    decision = decide(said, clock.now(), workspace, historical=True)
    return decision._replace(error=None) if decision.error else decision


def _refused(said: Transition, workspace: Workspace, found: Blockers) -> Judgement:
    error = _busy(said, found)
    if isinstance(said.fact, Attached):
        raise error
    told = [blocker.as_json() for blocker in found.shown]
    return Judgement(refuse(said, clock.now(), workspace, told, found.count)._replace(error=error))


def _busy(said: Transition, found: Blockers) -> EntityBusy:
    names = ", ".join(map(str, found.shown[:BLOCKERS_SHOWN]))
    more = f" and {found.count - BLOCKERS_SHOWN:,} more" if found.count > BLOCKERS_SHOWN else ""
    facts = [blocker.as_fact() for blocker in found.shown]
    return EntityBusy(f"Job {said.job} must wait for {names}{more}.", job=said.job, blockers=facts, count=found.count)
