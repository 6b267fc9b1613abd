"""When each tree leaves the live views, under which policy, and what keeps it there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from ledger.answers import TreeExpiry
from ledger.domain.retention import Retention
from projections.projection import SQL


def forecast(cursor: Cursor[Any], default: Retention, now: datetime) -> list[TreeExpiry]:
    """Every tree in the live views, those that leave first in front; `default` is for trees planned without a policy."""
    cursor.execute(SQL["select_expiry"])
    newer: dict[str, int] = defaultdict(int)
    trees = []
    for row in cursor.fetchall():
        policy = Retention.model_validate(row["retention"]) if row["retention"] else default
        counted = newer[row["actor"]]
        if row["closed"]:
            newer[row["actor"]] += row["jobs"]
        trees.append(_tree(row, policy, counted, now))
    return sorted(trees, key=_order)


def _tree(row: Mapping[str, Any], policy: Retention, newer: int, now: datetime) -> TreeExpiry:
    closed_at = row["closed_recorded_at"] if row["closed"] else None
    beyond = bool(row["closed"]) and policy.keep_at_most is not None and newer + row["jobs"] > policy.keep_at_most
    leaves_at = None
    if closed_at is not None and not row["held"]:
        aged = max(closed_at + policy.keep_for, closed_at + policy.dwell)
        leaves_at = min(aged, max(now, closed_at + policy.dwell)) if beyond else aged
    return TreeExpiry(
        root=row["root"],
        type=row["type"],
        actor=row["actor"],
        jobs=row["jobs"],
        policy=policy,
        closed_at=closed_at,
        leaves_at=leaves_at,
        beyond=beyond and closed_at is not None and now < max(closed_at + policy.keep_for, closed_at + policy.dwell),
        held=row["held"],
        held_by=row["held_by"],
    )


def _order(tree: TreeExpiry) -> tuple[bool, float, str]:
    return (tree.leaves_at is None, tree.leaves_at.timestamp() if tree.leaves_at else 0.0, tree.root)


def due(trees: Sequence[TreeExpiry], now: datetime) -> list[TreeExpiry]:
    """The trees whose time to leave has come."""
    return [tree for tree in trees if tree.leaves_at is not None and tree.leaves_at <= now]
