"""How one transition is judged under the append lock: decided first, then held against what is running."""

from collections.abc import Sequence

from ledger import clock
from ledger.admission import Beside, Blocker, blockers
from ledger.domain.commands import Transition
from ledger.domain.decisions import Decision, decide, refuse
from ledger.domain.events import Attached
from ledger.errors import EntityBusy
from ledger.store.verdict import Verdict
from ledger.store.workspace import Workspace

BLOCKERS_SHOWN = 5


def judge_now(said: Transition, workspace: Workspace) -> Verdict:
    """What happens now: a plan or an attach in the way of others is refused."""
    decision = decide(said, clock.now(), workspace)
    found = blockers(decision.events, workspace)
    return _refused(said, workspace, found) if found else Verdict(decision)


def judge_unrecorded(said: Transition, workspace: Workspace) -> Verdict:
    """What happens now, for a caller who wants no refusal on record."""
    decision = decide(said, clock.now(), workspace)
    found = blockers(decision.events, workspace)
    if found:
        raise _busy(said, found)
    return Verdict(decision)


def judge_past(said: Transition, workspace: Workspace) -> Verdict:
    """What has already happened: nothing is refused for being busy, but the overlaps are told."""
    decision = _decide_past(said, workspace)
    found = blockers(decision.events, workspace)
    if not found:
        return Verdict(decision)
    beside = {Beside(f"{it.holder.type}/{it.holder.id}", it.holder.job) for it in found if not it.limit}
    return Verdict(decision, tuple(sorted(beside)))


def judge_admitting(said: Transition, workspace: Workspace) -> Verdict:
    """What has already happened elsewhere, and is let in here only where nothing is in the way."""
    decision = _decide_past(said, workspace)
    found = blockers(decision.events, workspace)
    return _refused(said, workspace, found) if found else Verdict(decision)


def _decide_past(said: Transition, workspace: Workspace) -> Decision:
    decision = decide(said, clock.now(), workspace, historical=True)
    return decision._replace(error=None) if decision.error else decision


def _refused(said: Transition, workspace: Workspace, found: Sequence[Blocker]) -> Verdict:
    error = _busy(said, found)
    if isinstance(said.fact, Attached):
        raise error
    told = [blocker.as_json() for blocker in found]
    return Verdict(refuse(said, clock.now(), workspace, told)._replace(error=error))


def _busy(said: Transition, found: Sequence[Blocker]) -> EntityBusy:
    names = ", ".join(map(str, found[:BLOCKERS_SHOWN]))
    more = f" and {len(found) - BLOCKERS_SHOWN:,} more" if len(found) > BLOCKERS_SHOWN else ""
    facts = [blocker.as_fact() for blocker in found]
    return EntityBusy(f"Job {said.job} must wait for {names}{more}.", job=said.job, blockers=facts)
