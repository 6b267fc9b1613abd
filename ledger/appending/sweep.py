"""Taking the trees out of the live views whose time has come."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ledger import clock
from ledger.asking.answers import Queries, TreeExpiry
from ledger.domain.commands import Transition, parse_transition
from ledger.domain.decisions import Disposition
from ledger.domain.numbers import asked_page
from ledger.domain.receipt import Receipt
from ledger.domain.retention import Retention
from ledger.domain.trees import TREE_EVENTS_MAX
from ledger.domain.values import print_time
from ledger.errors import IllegalTransition, LedgerError, StreamDamaged

PAGE_TREES = 500
RecordBatch = Callable[[Sequence[Transition]], list[Receipt | LedgerError]]


def sweep(queries: Queries, tell: RecordBatch, policy: Retention, limit: int | None) -> list[TreeExpiry]:
    """As `Ledger.expire` says; `tell` records several transitions in one append."""
    asked_page(None, limit)
    now = clock.now()
    left: list[TreeExpiry] = []
    passed: set[str] = set()  # that others held or took meanwhile, or of which nothing can be recorded
    more = True
    while more:
        asked = None if limit is None else limit - len(left) + len(passed)
        due = [tree for tree in queries.expiry(policy, now, asked, due=True) if tree.root not in passed]
        taken = [tree for page in _pages(due) for tree in _take_out(tell, page)]
        left += taken
        passed |= {tree.root for tree in due} - {tree.root for tree in taken}
        more = limit is not None and len(left) < limit and bool(due)
    return left


def _take_out(tell: RecordBatch, trees: Sequence[TreeExpiry]) -> list[TreeExpiry]:
    """Expire trees; those that nobody held or took meanwhile are returned."""
    answers = tell([parse_transition(_expired(tree), clock.new_id) for tree in trees])
    left = []
    for tree, answer in zip(trees, answers, strict=True):
        if isinstance(answer, Receipt):
            left += [tree] if answer.disposition is Disposition.RECORDED else []
        elif not isinstance(answer, IllegalTransition | StreamDamaged):
            raise answer
    return left


def _pages(trees: Iterable[TreeExpiry]) -> Iterator[list[TreeExpiry]]:
    """Trees in pages that an append has room for, and those that none has room for by themselves."""
    page: list[TreeExpiry] = []
    jobs = 0
    for tree in trees:
        jobs += tree.jobs
        if page and (jobs > TREE_EVENTS_MAX or len(page) == PAGE_TREES):
            yield page
            page, jobs = [], tree.jobs
        page.append(tree)
    if page:
        yield page


def _expired(tree: TreeExpiry) -> dict[str, Any]:
    policy = tree.policy.model_dump(mode="json")
    # A job that was refused and comes back expires anew: when its tree closed tells one leaving from the other.
    closed_at = print_time(tree.closed_at) if tree.closed_at else None
    threshold = {tree.cause: policy[tree.cause], "closed_at": closed_at}
    said = {"policy": policy, "cause": tree.cause, "threshold": threshold, "actor": "sweeper"}
    return {"job": tree.root, "event": "expired", **said}
