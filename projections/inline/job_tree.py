"""Questions about trees of jobs, over the view `job_status`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from psycopg import Cursor
from pydantic_core import to_json

from ledger.asking.answers import Name, RollUp, Standing, Unsettled
from ledger.domain.epoch import OwnerEpoch
from ledger.domain.progress import percent
from ledger.domain.quorum import NAMED_MAX, Child, Family
from ledger.domain.states import EndAction, Outcome, Phase
from projections.statements import INLINE as SQL
from projections.statements import SHARED

if TYPE_CHECKING:  # who asks for a tree need not load what an append asks of the views
    from ledger.store.views import Asked, Session


def some_children(session: "Session", parents: Iterable[str], at_most: int) -> "Asked[Mapping[str, Sequence[Child]]]":
    """So many children of each parent, in the order of planning, those that are open before others are left out."""
    parameters = {"parents": to_json(list(parents)).decode(), "at_most": at_most}
    cursor = session.execute(SQL["select_some_children"], parameters)

    def answer() -> Mapping[str, Sequence[Child]]:
        found: dict[str, list[Child]] = {}
        for row in cursor.fetchall():
            found.setdefault(row["parent"], []).append(_child(row))
        return found

    return answer


def _child(row: Mapping[str, Any]) -> Child:
    return Child(row["job"], _outcome(row), row["required"], row["retry_of"])


def _outcome(row: Mapping[str, Any]) -> Outcome | None:
    return Outcome(row["outcome"]) if row["outcome"] else None


def has_child(session: "Session", parent: str) -> bool:
    """Whether a job has a child that was not refused."""
    return bool(session.execute(SQL["select_has_child"], {"parent": parent}).fetchall()[0]["has_child"])


def open_children(session: "Session", parent: str, at_most: int) -> list[str]:
    """So many children that are not closed, in any order."""
    rows = session.execute(SQL["select_open_children"], {"parent": parent, "at_most": at_most}).fetchall()
    return [row["job"] for row in rows]


def family(session: "Session", parent: str, spoken_of: Sequence[str]) -> Family:
    """The children of a parent as far as they count for it, those of all outcomes where they are spoken of."""
    parameters = {"parent": parent, "spoken_of": to_json(spoken_of).decode(), "at_most": NAMED_MAX}
    rows = session.execute(SQL["select_family"], parameters).fetchall()
    told = [row for row in rows if row["job"] is not None]
    counts = Counter({_outcome(row): row["jobs"] for row in rows if row["job"] is None})
    counts.subtract(_outcome(row) for row in told if row["alone"])
    return Family([_child(row) for row in told], +counts)


def unsettled_children(session: "Session", parent: str, besides: Sequence[str]) -> bool:
    """Whether a parent has no value yet, whatever becomes of these children short of failing."""
    rows = session.execute(SQL["select_unsettled_children"], {"parent": parent, "besides": list(besides)}).fetchall()
    return bool(rows[0]["unsettled"])


def left_below(
    session: "Session", jobs: Iterable[str], event: str, at_most: int | None = None
) -> "Asked[Mapping[str, list[str]]]":
    """The jobs below each of these jobs of which an event about a whole tree is yet to be recorded.

    At most so many in all; without that, those in front that keep the tree from it.
    """
    parameters = {"jobs": to_json(list(jobs)).decode(), "event": event, "at_most": at_most}
    cursor = session.execute(SQL["select_left_below"], parameters)

    def answer() -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in sorted(cursor.fetchall(), key=lambda row: (not row["stays"], row["place"])):
            found.setdefault(row["top"], []).append(row["job"])
        return found

    return answer


def bound(session: "Session", names: Iterable[tuple[str, str]]) -> "Asked[Mapping[tuple[str, str], str]]":
    """The job of each (executor, external id) that is bound."""
    asked = [{"executor": executor, "external_id": external_id} for executor, external_id in names]
    cursor = session.execute(SQL["select_bound"], {"names": to_json(asked).decode()})
    return lambda: {(row["executor"], row["external_id"]): row["job"] for row in cursor.fetchall()}


def unsettled(session: "Session", names: Sequence[Name]) -> Unsettled:
    """Every active job, and those that bear one of these names, with their children, and the owners of active ones."""
    parameters = {
        "executors": [name.executor for name in names],
        "external_ids": [name.external_id for name in names],
        "tokens": [name.token for name in names],
    }
    rows = session.execute(SQL["select_unsettled"], parameters).fetchall()
    found = [row for row in rows if row["job"] is not None]
    below = {
        row["job"]: sorted(row["children"], key=itemgetter("planned_position")) for row in found if row["children"]
    }
    return Unsettled(
        jobs=[job for row in found if (job := _standing(row)) is not None],
        children={job: [_child(child) for child in children] for job, children in below.items()},
        position=rows[0]["position"],
        owners=Counter(OwnerEpoch(row["owner"], row["epoch"] or 0) for row in found if row["active"] and row["owner"]),
    )


def position(session: "Session") -> int:
    """The position up to which the views are true."""
    return int(session.execute(SHARED["select_position"]).fetchall()[0]["position"])


def root(session: "Session", job: str) -> str | None:
    """The tree that a job belongs to; it stays there once it is planned, whatever the snapshot of the next question."""
    found = session.execute(SQL["select_roots"], {"jobs": [job]}).fetchall()
    return str(found[0]["root"]) if found else None


def _standing(row: Mapping[str, Any]) -> Standing | None:
    """How a job stands; None where nothing can be said of it: a damaged one, or a row that the ledger did not write."""
    try:
        outcome = Outcome(row["outcome"]) if row["outcome"] else None
        axes = {"phase": Phase(row["phase"]), "outcome": outcome, "end_action": EndAction(row["end_action"])}
    except ValueError:
        return None
    fields = {**row, **axes}
    del fields["position"], fields["active"], fields["damaged"], fields["children"]
    return None if row["damaged"] else Standing(**fields)


def roll_up(cursor: Cursor[Any], job: str) -> RollUp | None:
    """How far a tree is, from the job down; None where no event speaks of the job."""
    row = cursor.execute(SQL["select_roll_up"], {"job": job}).fetchall()[0]
    if not row["jobs"]:
        return None
    shares = (percent(dict(zip(_TOLD, told, strict=True))) or 0.0 for told in row["shares"] or ())
    return RollUp(
        job=job,
        jobs=row["jobs"],
        percent=round((100.0 * row["closed"] + sum(shares)) / row["leaves"], 2) if row["leaves"] else 100.0,
        phases=row["phases"],
        outcomes=row["outcomes"] or {},
        position=row["reached"],
    )


_TOLD = ("percent", "done", "total")
