"""How one transition is judged under the append lock: decided first, then held against what is running."""

from collections.abc import Sequence
from dataclasses import replace

from ledger import admission, clock
from ledger.domain.commands import Transition
from ledger.domain.decisions import Decision, decide, refuse
from ledger.domain.events import Attached
from ledger.errors import EntityBusy
from ledger.store.recorder import Verdict
from ledger.store.workspace import Workspace


def judge_now(said: Transition, workspace: Workspace) -> Verdict:
    """What happens now: a plan or an attach in the way of others is refused."""
    decision = decide(said, clock.now(), workspace)
    found = _blockers(decision, workspace)
    return _refused(said, workspace, found) if found else Verdict(decision)


def judge_past(said: Transition, workspace: Workspace) -> Verdict:
    """What has already happened: nothing is refused for being busy, but the overlaps are told."""
    decision = replace(decide(said, clock.now(), workspace, historical=True), error=None)
    found = _blockers(decision, workspace)
    return Verdict(decision, tuple(sorted({f"{holder.type}/{holder.id}" for holder in found})))


def judge_admitting(said: Transition, workspace: Workspace) -> Verdict:
    """What has already happened elsewhere, and is let in here only where nothing is in the way."""
    decision = replace(decide(said, clock.now(), workspace, historical=True), error=None)
    found = _blockers(decision, workspace)
    return _refused(said, workspace, found) if found else Verdict(decision)


def _blockers(decision: Decision, workspace: Workspace) -> list[admission.Holder]:
    asked = admission.demands(decision.events)
    if not asked:
        return []
    first = decision.events[0]
    job = workspace.job(first.job)
    root = getattr(first.fact, "root", None) or (job.root if job else first.job)
    return admission.blockers(root, asked, workspace)


def _refused(said: Transition, workspace: Workspace, found: Sequence[admission.Holder]) -> Verdict:
    blockers = [admission.describe(holder) for holder in found]
    names = ", ".join(f"{holder.job} (on {holder.type}/{holder.id}, {holder.access})" for holder in found[:5])
    more = f" and {len(found) - 5:,} more" if len(found) > 5 else ""  # noqa: PLR2004 - five fit a line
    error = EntityBusy(f"Job {said.job} must wait for {names}{more}.", job=said.job, blockers=blockers)
    if isinstance(said.fact, Attached):
        raise error
    decision = refuse(said, clock.now(), workspace, blockers)
    return Verdict(replace(decision, error=error))
