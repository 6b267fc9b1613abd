"""One row a job: its axes, times, progress and end, as the events have left them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ledger.domain.commands import print_fact
from ledger.domain.events import Ended, Event, Placed, Planned, Refused, Resolved, Terms
from ledger.domain.progress import advance
from ledger.domain.states import OUTCOMES, TRANSITIONS, Outcome, Phase
from ledger.store.views import Session
from projections.statements import SQL

Row = dict[str, Any]


class JobStatus:
    """The view `job_status`."""

    name = "job_status"
    version = 1
    tables: Mapping[str, str] = {"job_status": "job"}
    statement = "upsert_rows"

    def read(self, session: Session, jobs: Sequence[str]) -> Mapping[str, Row]:
        """The rows of jobs."""
        if not jobs:
            return {}
        return {row["job"]: row for row in session.execute(SQL["select_rows"], {"jobs": jobs}).fetchall()}

    def fold(self, kept: Row | None, entry: Placed) -> Row:
        """The row after an event."""
        return fold(kept, entry)

    def rows(self, kept: Iterable[Row], before: int) -> Sequence[Row]:
        """The rows of those that have changed."""
        return [row for row in kept if row["position"] > before]


def fold(row: Row | None, entry: Placed) -> Row:
    """The row after an event: the same one, changed; it has no field for what is not known."""
    event, fact = entry.event, entry.event.fact
    if type(fact) is Planned:
        begun = _begin(event, fact, entry, root=fact.root, depth=fact.depth)
        return begun | _kept(row, _STAYS_WHEN_PLANNED) if row else begun
    if type(fact) is Refused:
        return _refuse(row, fact, entry)
    assert row is not None  # noqa: S101 - a stream begins with one of the two
    row.update(_common(row, entry))
    change = _CHANGES.get(event.name)
    if change is not None:
        row.update(change(row, entry))
    return row


def _begin(event: Event, terms: Terms, entry: Placed, *, root: str, depth: int) -> Row:
    said = {
        "parent": terms.parent,
        "retry_of": terms.retry_of,
        "params": terms.params or None,
        "retention": terms.body["retention"] if terms.retention else None,
        "deadline": terms.deadline,
        "actor": event.actor,
        "reason": event.reason,
        "owner": event.owner,
        "epoch": event.epoch,
        "raw": event.raw,
    }
    return {name: value for name, value in said.items() if value is not None} | {
        **_UNFLAGGED,
        "job": event.job,
        "type": terms.type,
        "root": root,
        "depth": depth,
        "required": terms.required,
        "cancellable": terms.cancellable,
        "end_action": str(terms.end_action),
        "phase": str(Phase.PLANNED),
        "planned_at": event.occurred_at,
        "planned_position": entry.position,
        **_place(entry),
    }


_UNFLAGGED: Row = dict.fromkeys(("cancel_requested", "contact_lost", "held", "expired", "disputed", "residue"), False)
_UNSET = dict.fromkeys((
    "parent", "retry_of", "outcome", "held_by", "executor", "external_id", "token", "raw", "progress", "params",
    "error", "result", "evidence", "warnings", "retention", "actor", "reason", "owner", "epoch", "started_at",
    "closed_at", "estimated_end", "deadline", "progress_at", "closed_position",
))  # fmt: skip


def whole(row: Row) -> Row:
    """A row with None for what is not known of the job, which `fold` leaves out."""
    return _UNSET | row


_STAYS_WHEN_PLANNED = ("held", "held_by")  # again, after it was refused
_STAYS_WHEN_REFUSED = ("held", "held_by", "disputed")


def _kept(row: Row, names: Iterable[str]) -> Row:
    return {name: row[name] for name in names if name in row}


def _refuse(row: Row | None, fact: Refused, entry: Placed) -> Row:
    """A refused job is a tree of its own: it is no child until it is planned."""
    event = entry.event
    kept = _kept(row, _STAYS_WHEN_REFUSED) if row else {}
    return _begin(event, _asked(fact.plan), entry, root=event.job, depth=1) | {
        "phase": str(Phase.CLOSED),
        "outcome": str(Outcome.REFUSED),
        "evidence": {"blockers": fact.blockers},
        **_closed(entry),
        **kept,
    }


def _asked(plan: Mapping[str, Any]) -> Terms:
    return Terms.model_validate({name: plan[name] for name in Terms.model_fields if name in plan})


def _closed(entry: Placed) -> Row:
    return {
        "closed_at": entry.event.occurred_at,
        "closed_position": entry.position,
    }


def _place(entry: Placed) -> Row:
    return {
        "last_event": entry.event.name,
        "last_at": entry.event.occurred_at,
        "version": entry.event.version,
        "position": entry.position,
    }


_WORK = (Phase.RUNNING, Phase.SUSPENDED)
_BESIDE = ("late", "disputed")  # what they report of the executor does not apply


def _common(row: Row, entry: Placed) -> Row:
    event = entry.event
    phase = TRANSITIONS[event.name].get(row["phase"], row["phase"])  # a phase equals its word
    changes: Row = {"phase": str(phase), **_place(entry)}
    if row.get("started_at") is None and (phase in _WORK or event.name == "started"):
        changes["started_at"] = event.occurred_at
    if event.raw is not None and event.name not in _BESIDE:
        changes["raw"] = event.raw
    return changes


def _bind(row: Row, entry: Placed) -> Row:
    event, said = entry.event, vars(entry.event.fact)
    names = {name: said[name] for name in ("executor", "external_id", "token") if said.get(name)}
    answers = {"owner": event.owner, "epoch": event.epoch} if event.owner and row.get("owner") is None else {}
    return names | answers


def _progress(row: Row, entry: Placed) -> Row:
    said = print_fact(entry.event.fact)
    estimated_end = said.pop("estimated_end", None) or row.get("estimated_end")
    return {
        "progress": advance(row.get("progress"), said),
        "progress_at": entry.event.occurred_at,
        "estimated_end": estimated_end,
    }


def _end(row: Row, entry: Placed) -> Row:
    fact = entry.event.fact
    assert isinstance(fact, Ended)  # noqa: S101 - the table below says so
    outcome = fact.outcome if isinstance(fact, Resolved) else OUTCOMES[entry.event.name]
    closed = _closed(entry)
    return {
        **closed,
        "closed_at": row.get("closed_at") or closed["closed_at"],
        "outcome": str(outcome),
        "contact_lost": False,
        "residue": fact.residue,
        "error": fact.body["error"] if fact.error else None,
        "result": fact.result,
        "evidence": fact.evidence,
        "warnings": list(fact.warnings) or None,
    }


def _answer(_row: Row, entry: Placed) -> Row:
    return {"owner": entry.event.owner, "epoch": entry.event.epoch}


def _flags(**flags: Any) -> Callable[[Row, Placed], Row]:
    return lambda _row, _entry: flags


_CHANGES: dict[str, Callable[[Row, Placed], Row]] = {
    "submitted": _bind,
    "accepted": _bind,
    "started": _bind,
    "progressed": _progress,
    "cancel_requested": _flags(cancel_requested=True),
    "contact_lost": _flags(contact_lost=True),
    "contact_regained": _flags(contact_lost=False),
    "closing": _answer,
    "adopted": _answer,
    "succeeded": _end,
    "failed": _end,
    "cancelled": _end,
    "abandoned": _end,
    "lost": _end,
    "resolved": _end,
    "disputed": _flags(disputed=True),
    "hold_placed": lambda _row, entry: {"held": True, "held_by": entry.event.actor},
    "hold_lifted": _flags(held=False, held_by=None),
    "expired": _flags(expired=True),
}
