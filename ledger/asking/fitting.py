"""Which jobs of a difference a filter lets pass: the terms of the filter language that speak of a job."""

from collections.abc import Mapping

from ledger.asking.difference import Fits
from ledger.asking.moment import Past
from ledger.domain.entities import EntityRef
from ledger.domain.filters import Filter, Term, TermKey, Trait, parse_filter
from ledger.errors import MalformedFilter

_FIELDS = (TermKey.TYPE, TermKey.OUTCOME, TermKey.ACTOR, TermKey.OWNER, TermKey.EXECUTOR, TermKey.JOB)
_FLAGS = (Trait.ON_HOLD, Trait.EXPIRED, Trait.CANCEL_REQUESTED, Trait.CONTACT_LOST)
_TAKEN = (*_FIELDS, TermKey.ENTITY, TermKey.UNDER, TermKey.IS)


def fitting(which: str | Filter, later: Past) -> Fits:
    """Whether a job fits, as it is at the later moment of a difference; `under:` is its tree then.

    Raises `MalformedFilter` for what cannot be read, and for a term that is about events.
    """
    terms = (parse_filter(which) if isinstance(which, str) else which).terms
    checks = [(_check(term, later), term.negated) for term in terms]
    return lambda job: all(check(job) is not negated for check, negated in checks)


def _check(term: Term, later: Past) -> Fits:
    wanted = frozenset(term.values)
    if term.key in _FIELDS:
        return lambda job: getattr(job, term.key) in wanted
    if term.key is TermKey.ENTITY:
        return lambda job: any(EntityRef(type=e["type"], id=e["id"]) in wanted for e in job.entities)
    if term.key is TermKey.UNDER:
        below = {job.job for root in sorted(map(str, wanted)) for job in later.tree(root)}
        return lambda job: job.job in below
    if term.key is TermKey.IS and wanted <= _MARKS.keys():
        marks = [_MARKS[str(mark)] for mark in wanted]
        return lambda job: any(mark(job) for mark in marks)
    taken = ", ".join(f"{key}:" for key in _TAKEN)
    marks_taken = ", ".join(map(str, _MARKS))
    raise MalformedFilter(
        f"A difference is narrowed by {taken} (of {marks_taken}), and {term} is about events.",
        expected=[str(key) for key in _TAKEN],
    )


def _flag(flag: str) -> Fits:
    return lambda job: flag in job.flags


_MARKS: Mapping[object, Fits] = {str(mark): _flag(str(mark)) for mark in _FLAGS} | {
    str(Trait.RESIDUE): lambda job: job.residue
}
