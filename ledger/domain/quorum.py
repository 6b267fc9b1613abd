"""When a parent may be called succeeded: rule 4, over the chains of its children."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic_core import to_json

from ledger.domain.states import Outcome


@dataclass(frozen=True, slots=True)
class Child:
    """A child as its parent sees it; `outcome` is None until it is closed."""

    job: str
    outcome: Outcome | None
    required: bool = True
    retry_of: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """The children of a parent, as far as they count for it.

    `told` are children in the order of planning, `more` says how many others there are of each outcome (None: open).
    Those are required, no retries, and not retried; one that succeeded need not be in either, for it changes nothing.
    """

    told: Sequence[Child]
    more: Mapping[Outcome | None, int] = field(default_factory=dict)


class QuorumValue(StrEnum):
    """What the required children of a parent amount to."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    UNDECIDED = "undecided"


FAILURES = frozenset({Outcome.FAILED, Outcome.CANCELLED, Outcome.ABANDONED})
_STOPPED = frozenset({Outcome.CANCELLED, Outcome.ABANDONED})


def chains(children: Iterable[Child]) -> list[list[Child]]:
    """The children in chains, each a child and its retries in the order of planning; refused ones are in none."""
    chain_of: dict[str, list[Child]] = {}
    found: list[list[Child]] = []
    for child in children:
        if child.outcome is Outcome.REFUSED:
            continue
        chain = chain_of.get(child.retry_of or "")
        if chain is None:
            chain = []
            found.append(chain)
        chain.append(child)
        chain_of[child.job] = chain
    return found


def chain_value(chain: Sequence[Child]) -> QuorumValue:
    """What one chain amounts to: succeeded if any of it did, undecided while any of it is open."""
    return _value_of({child.outcome for child in chain})


def _value_of(outcomes: set[Outcome | None]) -> QuorumValue:
    if Outcome.SUCCEEDED in outcomes:
        return QuorumValue.SUCCEEDED
    if None in outcomes:
        return QuorumValue.UNDECIDED
    if Outcome.UNKNOWN in outcomes:
        return QuorumValue.UNKNOWN
    return QuorumValue.FAILED


def parent_value(family: Family, *, cancelling: bool) -> QuorumValue:
    """What the required chains amount to; `cancelled` where cancelling was asked and every failed chain ended so."""
    required = [chain for chain in chains(family.told) if chain[0].required]
    values = {chain_value(chain) for chain in required} | {_value_of({outcome}) for outcome in family.more}
    if QuorumValue.FAILED in values:
        ends = {chain[-1].outcome for chain in required if chain_value(chain) is QuorumValue.FAILED}
        stopped = ends | (FAILURES & family.more.keys()) <= _STOPPED
        return QuorumValue.CANCELLED if cancelling and stopped else QuorumValue.FAILED
    if QuorumValue.UNDECIDED in values:
        return QuorumValue.UNDECIDED
    return QuorumValue.UNKNOWN if QuorumValue.UNKNOWN in values else QuorumValue.SUCCEEDED


def unsettled_beside(children: Sequence[Child], besides: str) -> bool:
    """Whether a parent stays without a value unless that one child fails, as far as the others tell by themselves.

    So it is where a required one that is no retry, and has none, is open or unknown, and no failure is left unretried.
    """
    others = [child for child in children if child.job != besides]
    retried = {child.retry_of for child in children}
    last = [child for child in others if child.job not in retried]
    if any(child.outcome in FAILURES for child in last):
        return False
    alone = (child for child in last if child.required and child.retry_of is None)
    return any(child.outcome in (None, Outcome.UNKNOWN) for child in alone)


def in_the_way(family: Family) -> list[str]:
    """The last job of each required chain that has not succeeded, as far as they are told."""
    return [
        chain[-1].job
        for chain in chains(family.told)
        if chain[0].required and chain_value(chain) is not QuorumValue.SUCCEEDED
    ]


NAMED_MAX = 100  # of those that are in the way of something, beside how many there are
NAMES_BYTES_MAX = 60_000  # a payload has room for no more of the longest names


def evidence(family: Family) -> dict[str, Any]:
    """What is said against a parent: the first of the children that are in its way, and how many if there are more."""
    names = in_the_way(family)
    shown = first_names(names)
    count = len(names) + sum(family.more.values())
    return {"children": shown} | ({"count": count} if count > len(shown) else {})


def first_names(names: Sequence[str]) -> list[str]:
    """The first hundred of these names, or as many as a payload has room for."""
    shown: list[str] = []
    size = 0
    for name in names[:NAMED_MAX]:
        size += len(to_json(name)) + 1
        if size > NAMES_BYTES_MAX:
            break
        shown.append(name)
    return shown
