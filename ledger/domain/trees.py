"""What is said of a job and of all below it: that cancelling was asked, that they left the live views.

A tree may have more jobs than one append may speak of, since everybody waits for an append. Then it speaks of a part of
them, and others of the rest. Of a request to cancel, the event of the root comes first, which keeps anything new from
beginning; of expiry it comes last, so that no tree is told as gone while a part of it is there.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ledger.domain.commands import Transition
from ledger.domain.draft import Decision, Disposition, Draft, Surroundings
from ledger.domain.events import CancelRequested, Expired, Fact
from ledger.domain.facts import named
from ledger.domain.job import Job
from ledger.domain.legality import check_legal

TREE_EVENTS_MAX = 250  # of one append, which others wait for: 50 ms, or several times that on a busy machine


def cancel_tree(draft: Draft, job: Job, fact: CancelRequested) -> Decision:
    """Ask it of the active jobs below, where it was just asked of the job."""
    below = draft.around.left_below(job.id, fact)
    _speak(draft, below.jobs, fact)
    return draft.done(unfinished=not below.all)


def expire_tree(draft: Draft, job: Job, fact: Expired) -> Decision:
    """Let a tree leave from its root down, if that is one append's work; else those below come first."""
    below = draft.around.left_below(job.id, fact)
    if not below.all:
        return Decision(Disposition.UNCHANGED, job.version, unfinished=True)
    draft.add(job.id, fact, reason=draft.transition.reason, raw=draft.transition.raw)
    _speak(draft, below.jobs, fact)
    return draft.done()


def go_on(transition: Transition, now: datetime, around: Surroundings, names: Sequence[str]) -> Decision:
    """Say of these jobs what was said of one above them; of some it may have been said meanwhile.

    Raises `IllegalTransition` where one of them, or the root, may not expire any more, for it is held.
    """
    draft = Draft(transition, transition.at or now, around, onward=True)
    job, fact = around.job(transition.job), transition.fact
    assert job is not None  # noqa: S101 - something was said of it
    if type(fact) is Expired:
        if job.expired:
            return Decision(Disposition.UNCHANGED, job.version)
        check_legal(draft, job, fact, historical=True)
    _speak(draft, around.states(names), fact)
    return draft.done() if draft.events else Decision(Disposition.UNCHANGED, job.version)


def _speak(draft: Draft, jobs: Iterable[Job], fact: Fact) -> None:
    for job in jobs:
        if is_left(job, fact):
            if type(fact) is Expired:
                check_legal(draft, job, fact, historical=True)
            draft.add(job.id, fact, reason=draft.transition.reason)


def is_left(job: Job, fact: Fact) -> bool:
    """Whether what is said of a whole tree is yet to be said of this job of it."""
    return _LEFT[type(fact)](job)


_LEFT: dict[type[Fact], Callable[[Job], bool]] = {
    CancelRequested: lambda job: not (job.closed or job.cancel_requested or job.damaged),
    Expired: lambda job: not (job.expired or job.refused or job.damaged),
}
_NOT_IN_LEFT = named(  # these are said of one job
    "planned refused submitted accepted started progressed suspended resumed attached detached contact_lost "
    "contact_regained closing adopted succeeded failed cancelled abandoned lost resolved disputed late hold_placed "
    "hold_lifted"
)
OF_TREES = frozenset(_LEFT)
