"""One row a job: its axes, times, progress and end, as the events have left them."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from ledger.domain.commands import print_fact
from ledger.domain.events import Ended, Event, Planned, RecordedEvent, Refused, Resolved
from ledger.domain.states import OUTCOMES, TRANSITIONS, Outcome, Phase
from ledger.domain.values import print_time
from projections.projection import SQL

Row = dict[str, Any]


class JobStatus:
    """The view `job_status`."""

    name = "job_status"
    version = 1
    tables = ("job_status",)

    def apply(self, cursor: Cursor[Any], events: Sequence[RecordedEvent]) -> None:
        """Fold the events of jobs into their rows, read and written once each."""
        told = [entry for entry in events if entry.event.stream.startswith("job:")]
        if not told:
            return
        known = sorted({entry.event.job for entry in told if entry.event.version > 1})
        rows: dict[str, Row] = {}
        if known:
            cursor.execute(SQL["select_rows"], {"jobs": known})
            rows = {row["job"]: row for row in cursor.fetchall()}
        for entry in told:
            rows[entry.event.job] = fold(rows.get(entry.event.job), entry)
        written = json.dumps(list(rows.values()), default=_print, ensure_ascii=False, separators=(",", ":"))
        cursor.execute(SQL["upsert_rows"], {"rows": written})


def _print(value: object) -> str:
    assert isinstance(value, datetime)  # noqa: S101 - a row holds nothing else that JSON lacks
    return print_time(value)


def fold(row: Row | None, entry: RecordedEvent) -> Row:
    """The row after an event."""
    event = entry.event
    if isinstance(event.fact, Planned):
        return _begin(event, event.fact, entry)
    if row is None:
        row = _refused(event, event.fact, entry)
    row = row | _common(row, entry)
    change = _CHANGES.get(event.name)
    return row | change(row, entry) if change else row


def _begin(event: Event, fact: Planned, entry: RecordedEvent) -> Row:
    said = print_fact(fact)
    return _EMPTY | {
        "job": event.job,
        "type": fact.type,
        "parent": fact.parent,
        "root": fact.root,
        "depth": fact.depth,
        "retry_of": fact.retry_of,
        "required": fact.required,
        "cancellable": fact.cancellable,
        "end_action": str(fact.end_action),
        "phase": str(Phase.PLANNED),
        "params": said.get("params"),
        "retention": said.get("retention"),
        "deadline": fact.deadline,
        "actor": event.actor,
        "reason": event.reason,
        "owner": event.owner,
        "epoch": event.epoch,
        "planned_at": event.occurred_at,
        "planned_position": entry.position,
        **_place(entry),
    }


_EMPTY: Row = {
    "outcome": None, "cancel_requested": False, "contact_lost": False, "held": False, "held_by": None, "expired": False,
    "disputed": False, "residue": False, "executor": None, "external_id": None, "token": None, "raw": None,
    "progress": None, "error": None, "result": None, "evidence": None, "warnings": None, "started_at": None,
    "closed_at": None, "estimated_end": None, "closed_recorded_at": None,
}  # fmt: skip


def _refused(event: Event, fact: Any, entry: RecordedEvent) -> Row:
    plan = fact.plan if isinstance(fact, Refused) else {}
    return _EMPTY | {
        "job": event.job,
        "type": plan.get("type", ""),
        "parent": plan.get("parent"),
        "root": event.job,
        "depth": 1,
        "retry_of": plan.get("retry_of"),
        "required": plan.get("required", True),
        "cancellable": True,
        "end_action": plan.get("end_action", "none"),
        "phase": str(Phase.CLOSED),
        "params": plan.get("params"),
        "retention": plan.get("retention"),
        "deadline": None,
        "actor": event.actor,
        "reason": event.reason,
        "owner": event.owner,
        "epoch": event.epoch,
        "planned_at": event.occurred_at,
        "planned_position": entry.position,
        **_place(entry),
    }


def _place(entry: RecordedEvent) -> Row:
    return {
        "last_event": entry.event.name,
        "last_at": entry.event.occurred_at,
        "recorded_at": entry.recorded_at,
        "version": entry.event.version,
        "position": entry.position,
    }


_WORK = (str(Phase.RUNNING), str(Phase.SUSPENDED))


def _common(row: Row, entry: RecordedEvent) -> Row:
    phase = str(TRANSITIONS[entry.event.name].get(Phase(row["phase"]), row["phase"]))
    changes: Row = {"phase": phase, **_place(entry)}
    if phase in _WORK and row["started_at"] is None:
        changes["started_at"] = entry.event.occurred_at
    if entry.event.raw is not None:
        changes["raw"] = entry.event.raw
    return changes


def _bind(row: Row, entry: RecordedEvent) -> Row:
    fact, event = entry.event.fact, entry.event
    names = {name: getattr(fact, name, None) or row[name] for name in ("executor", "external_id", "token")}
    answers = {"owner": event.owner, "epoch": event.epoch} if event.owner and row["owner"] is None else {}
    return names | answers


def _progress(row: Row, entry: RecordedEvent) -> Row:
    said = print_fact(entry.event.fact)
    estimated_end = said.pop("estimated_end", None)
    return {"progress": (row["progress"] or {}) | said, "estimated_end": estimated_end or row["estimated_end"]}


def _end(row: Row, entry: RecordedEvent) -> Row:
    fact = entry.event.fact
    assert isinstance(fact, Ended)  # noqa: S101 - the table below says so
    said = print_fact(fact)
    outcome = fact.outcome if isinstance(fact, Resolved) else OUTCOMES[entry.event.name]
    resolves = row["closed_at"] is not None
    return {
        "outcome": str(outcome),
        "closed_at": row["closed_at"] if resolves else entry.event.occurred_at,
        "closed_recorded_at": entry.recorded_at,
        "contact_lost": False,
        "residue": fact.residue,
        **{name: said.get(name) for name in ("error", "result", "evidence", "warnings")},
    }


def _refuse(row: Row, entry: RecordedEvent) -> Row:
    fact = entry.event.fact
    blockers = fact.blockers if isinstance(fact, Refused) else []
    return {
        "outcome": str(Outcome.REFUSED),
        "closed_at": entry.event.occurred_at,
        "closed_recorded_at": entry.recorded_at,
        "evidence": {"blockers": blockers},
    }


def _answer(_row: Row, entry: RecordedEvent) -> Row:
    return {"owner": entry.event.owner, "epoch": entry.event.epoch}


def _flags(**flags: Any) -> Callable[[Row, RecordedEvent], Row]:
    return lambda _row, _entry: flags


_CHANGES: dict[str, Callable[[Row, RecordedEvent], Row]] = {
    "refused": _refuse,
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
