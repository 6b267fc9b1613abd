"""The document of a job, which says all that is shown of it but what it touches, and how it is read.

It is plain JSON. It has no field for what is not known, nor for what is as it is by default.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from ledger.asking.answers import JobView
from ledger.domain.progress import shown
from ledger.domain.states import EndAction, Flag, Outcome, Phase, ok

Document = dict[str, Any]
BY_DEFAULT: Mapping[str, Any] = {  # which may never change
    **dict.fromkeys(("cancel_requested", "contact_lost", "held", "expired", "disputed", "residue", "damaged"), False),
    "required": True,
    "cancellable": True,
    "end_action": str(EndAction.NONE),
    "depth": 1,
}
_TIMES = ("planned_at", "started_at", "closed_at", "estimated_end", "deadline", "last_at", "progress_at")
_UNSAID = {**dict.fromkeys((*JobView._fields, *_TIMES)), **BY_DEFAULT}
_fields_of = itemgetter(*JobView._fields)


def view(document: Mapping[str, Any], entities: list[dict[str, str]], asked_at: datetime) -> JobView:
    """A job as its document, what it touches and the time of asking show it."""
    known = {**_UNSAID, **document, "entities": entities}
    for name in _TIMES:
        if known[name] is not None:
            known[name] = datetime.fromisoformat(known[name])
    done = known["done"] = known["phase"] == _CLOSED
    known["ok"] = ok(Outcome(known["outcome"])) if known["outcome"] and not known["damaged"] else None
    known["overdue"] = not done and known["deadline"] is not None and known["deadline"] < asked_at
    known["flags"] = [flag for flag, name in _FLAGS.items() if known[name]]
    progress = known["progress"] = shown(known["progress"])
    known["estimated_end"] = None if done else _estimated_end(known, progress)
    if known["started_at"] is not None:
        spent = (known["closed_at"] or asked_at) - known["started_at"]
        known["elapsed_seconds"] = max(0.0, spent.total_seconds())
    known["warnings"] = known["warnings"] or []
    return JobView._make(_fields_of(known))


# What comes of reading a document, or what a job touches, that somebody else has put in the place of ours.
NOT_WRITTEN_BY_US = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def is_whole(shown: JobView, job: str) -> bool:
    """Whether what is shown of a job has all that each job has."""
    texts = (shown.type, shown.root, shown.phase, shown.last_event)
    numbers = (shown.version, shown.position, shown.planned_position)
    times = (shown.planned_at, shown.last_at)
    return (
        shown.job == job
        and all(type(text) is str for text in texts)
        and all(type(number) is int for number in numbers)
        and None not in times
        and type(shown.entities) is list
        and all(type(entity) is dict and entity.keys() >= _OF_AN_ENTITY for entity in shown.entities)
    )


def unreadable(row: Mapping[str, Any]) -> JobView:
    """A job whose row in the view is not what the ledger writes: what is known is that, until a rebuild."""
    job, position, asked_at = row["job"], row["planned_position"] or 0, row["asked_at"]
    document = {
        "job": job,
        "type": "damaged",
        "root": job,
        "phase": str(Phase.CLOSED),
        "outcome": str(Outcome.UNKNOWN),
        "damaged": True,
        "warnings": ["The view does not say what the ledger wrote of this job; run jobledger projections rebuild."],
        "planned_at": asked_at.isoformat(),
        "last_event": "damaged",
        "last_at": asked_at.isoformat(),
        "version": 0,
        "position": position,
        "planned_position": position,
    }
    return view(document, [], asked_at)


_OF_AN_ENTITY = {"type", "id", "role", "access"}
_CLOSED = str(Phase.CLOSED)
# Stored under a name of their own where the word was another once.
_FLAGS = {str(flag): "held" if flag is Flag.ON_HOLD else str(flag) for flag in Flag}


def _estimated_end(row: Mapping[str, Any], progress: Mapping[str, Any] | None) -> datetime | None:
    if row["estimated_end"] is not None or row["started_at"] is None or not progress or not progress["percent"]:
        estimated: datetime | None = row["estimated_end"]
        return estimated
    began: datetime = row["started_at"]
    spent: timedelta = row["progress_at"] - began
    try:
        return began + spent * (100 / float(progress["percent"]))
    except OverflowError:
        return None
