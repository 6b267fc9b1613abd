"""Questions about trees of jobs, over the view `job_status`."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import Cursor

from ledger.domain.quorum import Child
from ledger.domain.states import Outcome
from projections.projection import SQL


def children(cursor: Cursor[Any], parents: Iterable[str]) -> Mapping[str, list[Child]]:
    """The children of each parent in the order of planning."""
    cursor.execute(SQL["select_children"], {"parents": list(parents)})
    found: dict[str, list[Child]] = {}
    for row in cursor.fetchall():
        outcome = Outcome(row["outcome"]) if row["outcome"] else None
        found.setdefault(row["parent"], []).append(Child(row["job"], outcome, row["required"], row["retry_of"]))
    return found


def descendants(cursor: Cursor[Any], job: str) -> list[str]:
    """The jobs below a job, parents first."""
    cursor.execute(SQL["select_descendants"], {"job": job})
    return [row["job"] for row in cursor.fetchall()]


def bound(cursor: Cursor[Any], names: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """The job of each (executor, external id) that is bound."""
    asked = list(names)
    executors, external_ids = [name[0] for name in asked], [name[1] for name in asked]
    cursor.execute(SQL["select_bound"], {"executors": executors, "external_ids": external_ids})
    return {(row["executor"], row["external_id"]): row["job"] for row in cursor.fetchall()}
