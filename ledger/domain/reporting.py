"""What follows from a report about a job that is on record."""

from collections.abc import Callable
from typing import Any

from ledger.domain.commands import print_transition
from ledger.domain.content import digest, quoted_in
from ledger.domain.damage import stream_damaged
from ledger.domain.draft import Decision, Disposition, Draft, Surroundings, fenced, other_content, stale
from ledger.domain.events import (
    Abandoned,
    Accepted,
    Adopted,
    Attached,
    Cancelled,
    CancelRequested,
    Closing,
    ContactLost,
    ContactRegained,
    Detached,
    Disputed,
    Ended,
    Expired,
    Fact,
    Failed,
    HoldLifted,
    HoldPlaced,
    Late,
    Refused,
    Resolved,
    Resumed,
    Started,
    Submitted,
    Succeeded,
    Suspended,
    names_in,
)
from ledger.domain.facts import BINDING, named
from ledger.domain.job import Job, lets_go
from ledger.domain.legality import check_legal
from ledger.domain.parents import close_parents
from ledger.domain.states import OUTCOMES, Outcome, Phase
from ledger.domain.trees import cancel_tree, expire_tree
from ledger.errors import (
    Contradiction,
    JobNotFound,
    LedgerError,
    MalformedRecord,
)


def decide_report(draft: Draft, fact: Fact, *, historical: bool) -> Decision:
    """The events that follow from a report, judged in the order of the contract."""
    said, around = draft.transition, draft.around
    quoted_in(fact, said.job)  # what cannot be read is not kept
    job = around.job(said.job)
    if job is None:
        return _begin_refused(draft, fact)
    if job.damaged:
        raise stream_damaged("job", job.id, job.damaged)
    version = _told_before(draft, fact)
    if version is not None:
        return Decision(Disposition.UNCHANGED, version)
    late = _decide_late(draft, fact, job)
    if late is not None:
        return late
    if job.outcome is Outcome.UNKNOWN and isinstance(fact, Ended) and not isinstance(fact, Resolved):
        fact = _resolution(draft, fact)
    _check_names(job, fact, around)
    if _so_already(draft, job, fact):
        return Decision(Disposition.UNCHANGED, job.version)
    check_legal(draft, job, fact, historical=historical)
    return _record(draft, job, fact)


def _begin_refused(draft: Draft, fact: Fact) -> Decision:
    said = draft.transition
    if not isinstance(fact, Refused):
        raise JobNotFound(f"No event speaks of job {said.job}; a stream begins with planned.", job=said.job)
    if fenced(said, draft.around):
        raise stale(said, draft.around)
    draft.add(said.job, fact, reason=said.reason, raw=said.raw)
    return draft.done()


def _told_before(draft: Draft, fact: Fact) -> int | None:
    said = draft.transition
    known = draft.around.told(said.job)
    told = known.under(said.id)
    if told is not None:
        same_time = not fact.timed or said.at is None or said.at == told.at
        if digest(fact, said.raw, None, said.owner, said.epoch) not in told.contents or not same_time:
            raise other_content(said)
        draft.at = told.at
    return known.version_of(fact, said.raw, draft.at, (said.owner, said.epoch))


_CLAIMS = frozenset({Submitted, Closing, Adopted, Refused})
_NOT_IN_CLAIMS = named(  # what a fenced epoch says of these is kept
    "planned accepted started progressed suspended resumed cancel_requested attached detached contact_lost "
    "contact_regained succeeded failed cancelled abandoned lost resolved disputed late hold_placed hold_lifted expired"
)
_AFTER_CLOSING = frozenset({Resolved, Disputed, HoldPlaced, HoldLifted, Expired, Refused})
_NOT_IN_AFTER_CLOSING = named(
    "planned submitted accepted started progressed suspended resumed cancel_requested attached detached contact_lost "
    "contact_regained closing adopted succeeded failed cancelled abandoned lost late"
)
_SAYING = frozenset({Succeeded, Failed, Cancelled, Abandoned})  # what became of a job
_NOT_IN_SAYING = named(
    "planned refused submitted accepted started progressed suspended resumed cancel_requested attached detached "
    "contact_lost contact_regained closing adopted lost resolved disputed late hold_placed hold_lifted expired"
)


def _decide_late(draft: Draft, fact: Fact, job: Job) -> Decision | None:
    said = draft.transition
    if type(fact) is Late:
        return None
    if fenced(said, draft.around):
        if type(fact) in _CLAIMS:
            raise stale(said, draft.around)
        return _keep_late(draft, fact, "fenced", stale(said, draft.around))
    if not job.closed or type(fact) in _AFTER_CLOSING:
        return None
    if job.outcome is Outcome.UNKNOWN and type(fact) in _SAYING:
        return None
    return _keep_late(draft, fact, "closed", None)


def _keep_late(draft: Draft, fact: Fact, because: str, error: LedgerError | None) -> Decision:
    said = draft.transition
    known = draft.around.told(said.job).late_version_of(fact, said.raw, draft.at, (said.owner, said.epoch))
    if known is not None:
        return Decision(Disposition.UNCHANGED, known, error=error)
    draft.add(said.job, Late.model_validate({"report": _report(draft), "because": because}), reason=said.reason)
    return draft.done(Disposition.LATE, error)


def _resolution(draft: Draft, report: Ended) -> Resolved:
    terms = {name: getattr(report, name) for name in Ended.model_fields}
    return Resolved.model_construct(**terms, outcome=OUTCOMES[report.name], report=_report(draft))


def _report(draft: Draft) -> dict[str, Any]:
    record = print_transition(draft.transition._replace(at=draft.at, id=None))
    record.pop("job")
    return record


def _check_names(job: Job, fact: Fact, around: Surroundings) -> None:
    if type(fact) not in BINDING:
        return
    names = names_in(fact)
    for name, said in names.items():
        had = getattr(job, name)
        if had is not None and had != said:
            raise Contradiction(f"Job {job.id} has the {name} {had}, not {said}.", job=job.id, field=name)
    if "external_id" in names:
        _check_bound(job, names.get("executor", job.executor), names["external_id"], around)


def _check_bound(job: Job, executor: str | None, external_id: str, around: Surroundings) -> None:
    if executor is None:
        raise MalformedRecord(f"An external id must come with its executor, and job {job.id} has none.")
    other = around.bound(executor, external_id)
    if other not in (None, job.id):
        raise Contradiction(
            f"The external id {external_id} of {executor} is that of job {other}.", job=job.id, field="external_id"
        )


def _binds_nothing(job: Job, fact: Accepted | Started) -> bool:
    has_executor = fact.executor is None or job.executor is not None
    return has_executor and (fact.external_id is None or job.external_id is not None)


_BEGUN = (Phase.RUNNING, Phase.SUSPENDED, Phase.CLOSING)
_SO_ALREADY: dict[type[Fact], Callable[[Job, Any], bool]] = {
    Suspended: lambda job, _: job.phase is Phase.SUSPENDED,
    Resumed: lambda job, _: job.phase is Phase.RUNNING,
    CancelRequested: lambda job, _: job.cancel_requested,
    ContactLost: lambda job, _: job.contact_lost,
    ContactRegained: lambda job, _: not job.contact_lost,
    HoldPlaced: lambda job, _: job.held,
    HoldLifted: lambda job, _: not job.held,
    Expired: lambda job, _: job.expired,
    Accepted: lambda job, fact: job.phase in (Phase.QUEUED, *_BEGUN) and _binds_nothing(job, fact),
    Started: lambda job, fact: job.phase in _BEGUN and _binds_nothing(job, fact),
    Attached: lambda job, fact: all(entity in job.entities for entity in fact.entities),
    Detached: lambda job, fact: not any(lets_go(r, entity) for r in fact.entities for entity in job.entities),
}
_NOT_IN_SO_ALREADY = named(  # who adopts is asked below; the others say something new
    "planned refused submitted progressed closing adopted succeeded failed cancelled abandoned lost resolved disputed "
    "late"
)


def _so_already(draft: Draft, job: Job, fact: Fact) -> bool:
    if type(fact) is Adopted:
        said = draft.transition
        return job.owner is not None and (job.owner, job.epoch) == (said.owner, said.epoch)
    check = _SO_ALREADY.get(type(fact))
    return check is not None and check(job, fact)


def _record(draft: Draft, job: Job, fact: Fact) -> Decision:
    said = draft.transition
    if type(fact) is Expired and job.parent is None:
        return expire_tree(draft, job, fact)
    draft.add_at(job.version + 1, job.id, fact, reason=said.reason, raw=said.raw)
    if type(fact) is CancelRequested:
        return cancel_tree(draft, job, fact)
    if job.parent is not None and isinstance(fact, Ended):
        close_parents(draft, job)
    return draft.done()
