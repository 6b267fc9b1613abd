"""When each tree leaves the live views, under which policy, and what keeps it there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Cursor

from ledger.asking.answers import TreeExpiry
from ledger.domain.retention import Retention
from projections.statements import INLINE as SQL


def forecast(
    cursor: Cursor[Any], default: Retention, now: datetime, limit: int | None = None, *, due: bool = False
) -> list[TreeExpiry]:
    """Trees in the live views, those that leave first in front; `default` is for trees planned without a policy.

    Where only those that are `due` are asked for, none whose time is yet to come.
    """
    parameters = {
        "keep_for": default.keep_for,
        "keep_at_most": default.keep_at_most,
        "dwell": default.dwell,
        "now": now,
        "limit": limit,
        "due": due,
    }
    cursor.execute(SQL["select_expiry"], parameters)
    return [_tree(row) for row in cursor.fetchall()]


def _tree(row: Mapping[str, Any]) -> TreeExpiry:
    policy = Retention(keep_for=row["keep_for"], keep_at_most=row["keep_at_most"], dwell=row["dwell"])
    fields = {name: row[name] for name in ("root", "type", "actor", "jobs", "closed_at", "leaves_at", "beyond")}
    return TreeExpiry(**fields, policy=policy, on_hold=row["held"], on_hold_by=row["held_by"])
