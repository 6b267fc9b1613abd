"""When a parent may be called succeeded: rule 4, over the chains of its children."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.domain.states import Outcome


@dataclass(frozen=True, slots=True)
class Child:
    """A child as its parent sees it; `outcome` is None until it is closed."""

    job: str
    outcome: Outcome | None
    required: bool = True
    retry_of: str | None = None


class Value(StrEnum):
    """What the required children of a parent amount to."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    UNDECIDED = "undecided"


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


def chain_value(chain: Sequence[Child]) -> Value:
    """What one chain amounts to: succeeded if any of it did, undecided while any of it is open."""
    outcomes = [child.outcome for child in chain]
    if Outcome.SUCCEEDED in outcomes:
        return Value.SUCCEEDED
    if None in outcomes:
        return Value.UNDECIDED
    if Outcome.UNKNOWN in outcomes:
        return Value.UNKNOWN
    return Value.FAILED


def parent_value(children: Iterable[Child], *, cancelling: bool) -> Value:
    """What the required chains amount to; `cancelled` where cancelling was asked and every failed chain ended so."""
    required = [chain for chain in chains(children) if chain[0].required]
    values = [chain_value(chain) for chain in required]
    if Value.FAILED in values:
        failed = [chain for chain, value in zip(required, values, strict=True) if value is Value.FAILED]
        stopped = all(chain[-1].outcome in (Outcome.CANCELLED, Outcome.ABANDONED) for chain in failed)
        return Value.CANCELLED if cancelling and stopped else Value.FAILED
    if Value.UNDECIDED in values:
        return Value.UNDECIDED
    return Value.UNKNOWN if Value.UNKNOWN in values else Value.SUCCEEDED


def in_the_way(children: Iterable[Child]) -> list[str]:
    """The last job of each required chain that has not succeeded."""
    return [
        chain[-1].job for chain in chains(children) if chain[0].required and chain_value(chain) is not Value.SUCCEEDED
    ]


CHILDREN_NAMED_MAX = 50  # a payload has room for no more of the longest names


def evidence(children: Iterable[Child]) -> dict[str, Any]:
    """What is said against a parent: the first of the children that are in its way, and how many there are."""
    names = in_the_way(children)
    return {"children": names[:CHILDREN_NAMED_MAX]} | ({"count": len(names)} if len(names) > CHILDREN_NAMED_MAX else {})
