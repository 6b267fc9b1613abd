"""How one transition is judged under the append lock: decided first, then held against what is running."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ledger import clock
from ledger.appending.workspace import Workspace
from ledger.domain.admission import Beside, Blockers, blockers
from ledger.domain.commands import Transition
from ledger.domain.decisions import Decision, decide, refuse
from ledger.domain.events import Attached
from ledger.domain.trees import TREE_EVENTS_MAX, go_on
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
    found = blockers(decision.events, workspace.holdings)
    return _refused(said, workspace, found) if found else Judgement(decision)


def judge_unrecorded(said: Transition, workspace: Workspace) -> Judgement:
    """What happens now, for a caller who wants no refusal on record."""
    decision = decide(said, clock.now(), workspace)
    found = blockers(decision.events, workspace.holdings)
    if found:
        raise _busy(said, found)
    return Judgement(decision)


def judge_past(said: Transition, workspace: Workspace) -> Judgement:
    """What has already happened: nothing is refused for being busy, but the overlaps are told."""
    decision = _decide_past(said, workspace)
    found = blockers(decision.events, workspace.holdings)
    if not found:
        return Judgement(decision)
    conflicts = [it for it in found.shown if not it.limit]
    beside = {Beside(f"{it.holder.type}/{it.holder.id}", it.holder.job) for it in conflicts}
    more = found.count - len(found.shown) if conflicts else 0
    return Judgement(decision, tuple(sorted(beside)), len(beside) + more)


def judge_admitting(said: Transition, workspace: Workspace) -> Judgement:
    """What has already happened elsewhere, and is let in here only where nothing is in the way."""
    decision = _decide_past(said, workspace)
    found = blockers(decision.events, workspace.holdings)
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


class Rest:
    """The jobs below one that are left, of what is said of a whole tree, append after append.

    As a judge it takes as many of them as an append has room for.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._begin = 0
        self._taken = 0

    def __bool__(self) -> bool:
        return self._begin < len(self._names)

    def __call__(self, said: Transition, workspace: Workspace) -> Judgement:
        """What one append says; asked again where that append has to be tried again."""
        names = self._names[self._begin : self._begin + min(workspace.room, TREE_EVENTS_MAX)]
        self._taken = len(names)
        return Judgement(go_on(said, clock.now(), workspace, names))

    def go_on(self) -> None:
        """Leave behind what was taken last, now that it is recorded."""
        self._begin += self._taken
        self._taken = 0
