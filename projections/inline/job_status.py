"""One row a job: its axes, times, progress and end, as the events have left them, and what it touches.

Answers about a job are made of its document and its entities. What questions ask of many jobs the row says once more,
in columns of the same names as in the document.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from ledger.domain.commands import print_fact
from ledger.domain.events import Damaged, Ended, Event, Placed, Planned, Refused, Terms, names_in
from ledger.domain.facts import named, outcome_of
from ledger.domain.progress import advance
from ledger.domain.states import BEGINNING, TRANSITIONS, Outcome, Phase
from ledger.domain.values import print_time
from ledger.store.views import Session
from projections.document import BY_DEFAULT, Document
from projections.inline.touched import Touched

SNAPSHOT_EVENTS = 512  # of a job, from one to the next


class Snapshot(NamedTuple):
    """A job as it was: its position then, its document and what it touched, as JSON."""

    position: int
    document: bytes
    entities: bytes


class Status:
    """What is kept of one job, and the snapshots of it that were not written yet."""

    __slots__ = ("document", "snapshots", "touched")

    def __init__(self, document: Document, entities: Iterable[dict[str, str]] = ()) -> None:
        self.document = document
        self.touched = Touched(entities)
        self.snapshots: list[Snapshot] = []

    def snap(self) -> None:
        """Take a snapshot."""
        entities = to_json(self.touched.shown())
        self.snapshots.append(Snapshot(self.document["position"], to_json(self.document), entities))


class JobStatus:
    """The view `job_status`."""

    name = "job_status"
    version = 1  # a migration that says the same in another form needs no other
    tables: Mapping[str, str] = {"job_status": "job", "snapshots": "job, position", "damaged": "position"}

    def read(self, session: Session, jobs: Sequence[str], sql: Mapping[str, str]) -> Mapping[str, Status]:
        """What the rows of jobs say."""
        if not jobs:
            return {}
        rows = session.execute(sql["select_documents"], {"jobs": jobs}).fetchall()
        return {row["job"]: Status(from_json(row["document"]), from_json(row["entities"])) for row in rows}

    def fold(self, kept: Status | None, entry: Placed) -> Status:
        """The same after an event; nothing counts after a row that is none."""
        if kept is not None and "damaged" in kept.document:
            return kept
        if kept is None and entry.event.name not in BEGINNING:
            return spoil(None, entry, f"a stream must begin with planned, not {entry.event.name}")
        return fold(kept, entry)

    def writes(
        self, kept: Iterable[Status], before: int, _entries: Sequence[Placed]
    ) -> Mapping[str, Mapping[str, str]]:
        """The documents of those that have changed, and their entities where these have, a line each; snapshots."""
        documents, entities, snapshots = [], [], []
        for status in kept:
            if status.document["position"] <= before:
                continue
            documents.append(to_json(status.document))
            entities.append(to_json(status.touched.shown()) if status.touched.position > before else b"")
            if status.snapshots:
                snapshots += [snapshot for snapshot in status.snapshots if snapshot.position > before]
                status.snapshots.clear()
        if not documents:
            return {}
        written = {"upsert_documents": {"documents": _lines(documents), "entities": _lines(entities)}}
        return written | write_snapshots(snapshots) if snapshots else written


def write_snapshots(snapshots: Sequence[Snapshot]) -> dict[str, dict[str, str]]:
    """What writes snapshots, and what it is given."""
    documents = _lines([snapshot.document for snapshot in snapshots])
    entities = _lines([snapshot.entities for snapshot in snapshots])
    return {"insert_snapshots": {"past_documents": documents, "past_entities": entities}}


def _lines(said: Sequence[bytes]) -> str:
    return b"\n".join(said).decode()


def spoil(kept: Status | None, entry: Placed, why: str) -> Status:
    """What is kept of a job once a row of its stream is no event, or stands out of turn: that it is so."""
    event = entry.event
    status = kept or Status(
        {
            "job": event.job,
            "type": "damaged",
            "root": event.job,
            "phase": str(Phase.CLOSED),
            "outcome": str(Outcome.UNKNOWN),
            "planned_at": print_time(event.occurred_at),
            "planned_position": entry.position,
            "last_event": "damaged",
            "last_at": print_time(event.occurred_at),
        }
    )
    status.document |= {
        "damaged": {"position": entry.position, "version": event.version, "why": why},
        "version": event.version,
        "position": entry.position,
    }
    if kept is None:
        status.touched.position = entry.position
    return status


def fold(kept: Status | None, entry: Placed) -> Status:
    """What is kept of a job after an event: the same, changed."""
    fact = entry.event.fact
    if type(fact) is Damaged:
        return spoil(kept, entry, fact.why)
    document = _fold(kept.document if kept else None, entry)
    status = kept or Status(document)
    status.document = document
    status.touched.take(entry)
    if entry.event.version % SNAPSHOT_EVENTS == 0:
        status.snap()
    return status


def _fold(document: Document | None, entry: Placed) -> Document:
    event, fact = entry.event, entry.event.fact
    if type(fact) is Planned:
        begun = _begin(event, fact, entry, root=fact.root, depth=fact.depth)
        return begun | _kept(document, _STAYS_WHEN_PLANNED) if document else begun
    if type(fact) is Refused:
        return _refuse(document, fact, entry)
    assert document is not None  # noqa: S101 - a stream begins with one of the two
    _note(document, entry)
    change = _CHANGES.get(fact.name)
    if change is not None:
        for name, value in change(document, entry).items():
            if value == BY_DEFAULT.get(name):
                document.pop(name, None)
            else:
                document[name] = value
    return document


def _begin(event: Event, terms: Terms, entry: Placed, *, root: str, depth: int) -> Document:
    said = {
        "job": event.job,
        "type": terms.type,
        "parent": terms.parent,
        "root": root,
        "depth": depth,
        "retry_of": terms.retry_of,
        "required": terms.required,
        "cancellable": terms.cancellable,
        "end_action": str(terms.end_action),
        "params": terms.params or None,
        "retention": terms.body["retention"] if terms.retention else None,
        "deadline": print_time(terms.deadline) if terms.deadline else None,
        "actor": event.actor,
        "reason": event.reason,
        "owner": event.owner,
        "epoch": event.epoch,
        "raw": event.raw,
    }
    return {name: value for name, value in said.items() if value != BY_DEFAULT.get(name)} | {
        "phase": str(Phase.PLANNED),
        "planned_at": print_time(event.occurred_at),
        "planned_position": entry.position,
        **_place(entry),
    }


_STAYS_WHEN_PLANNED = ("held", "held_by")  # again, after it was refused
_STAYS_WHEN_REFUSED = ("held", "held_by", "disputed")


def _kept(document: Document, names: Iterable[str]) -> Document:
    return {name: document[name] for name in names if name in document}


def _refuse(document: Document | None, fact: Refused, entry: Placed) -> Document:
    """A refused job is a tree of its own: it is no child until it is planned."""
    event = entry.event
    kept = _kept(document, _STAYS_WHEN_REFUSED) if document else {}
    return _begin(event, _asked(fact.plan), entry, root=event.job, depth=1) | {
        "phase": str(Phase.CLOSED),
        "outcome": str(Outcome.REFUSED),
        "evidence": {"blockers": fact.blockers} | ({} if fact.count is None else {"count": fact.count}),
        **_closed(entry),
        **kept,
    }


def _asked(plan: Mapping[str, Any]) -> Terms:
    return Terms.model_validate({name: plan[name] for name in Terms.model_fields if name in plan})


def _closed(entry: Placed) -> Document:
    return {
        "closed_at": print_time(entry.event.occurred_at),
        "closed_position": entry.position,
    }


def _place(entry: Placed) -> Document:
    return {
        "last_event": entry.event.fact.name,
        "last_at": print_time(entry.event.occurred_at),
        "version": entry.event.version,
        "position": entry.position,
    }


_WORK = (Phase.RUNNING, Phase.SUSPENDED)
_BESIDE = ("late", "disputed")  # what they report of the executor does not apply
_NOT_IN_BESIDE = named(
    "planned refused submitted accepted started progressed suspended resumed cancel_requested attached detached "
    "contact_lost contact_regained closing adopted succeeded failed cancelled abandoned lost resolved hold_placed "
    "hold_lifted expired"
)


def _note(document: Document, entry: Placed) -> None:
    """Take in what any event says of its job."""
    event, name = entry.event, entry.event.fact.name
    phase = TRANSITIONS[name].get(document["phase"], document["phase"])  # a phase equals its word
    document["phase"] = str(phase)
    document |= _place(entry)
    if "started_at" not in document and (phase in _WORK or name == "started"):
        document["started_at"] = document["last_at"]
    if event.raw is not None and name not in _BESIDE:
        document["raw"] = event.raw


def _bind(document: Document, entry: Placed) -> Document:
    event = entry.event
    answers = {"owner": event.owner, "epoch": event.epoch} if event.owner and document.get("owner") is None else {}
    return names_in(event.fact) | answers


def _progress(document: Document, entry: Placed) -> Document:
    said = print_fact(entry.event.fact)
    estimated_end = said.pop("estimated_end", None) or document.get("estimated_end")
    return {
        "progress": advance(document.get("progress"), said),
        "progress_at": print_time(entry.event.occurred_at),
        "estimated_end": estimated_end,
    }


def _end(document: Document, entry: Placed) -> Document:
    fact = entry.event.fact
    assert isinstance(fact, Ended)  # noqa: S101 - the table below says so
    closed = _closed(entry)
    return {
        **closed,
        "closed_at": document.get("closed_at") or closed["closed_at"],
        "outcome": str(outcome_of(fact)),
        "claimed_by": None,
        "contact_lost": False,
        "residue": fact.residue,
        "error": fact.body["error"] if fact.error else None,
        "result": fact.result,
        "evidence": fact.evidence,
        "warnings": list(fact.warnings) or None,
    }


def _answer(_document: Document, entry: Placed) -> Document:
    return {"owner": entry.event.owner, "epoch": entry.event.epoch}


def _claim(document: Document, entry: Placed) -> Document:
    event = entry.event
    return _answer(document, entry) | {"claimed_by": [event.owner or "", event.epoch or 0]}


def _flags(**flags: Any) -> Callable[[Document, Placed], Document]:
    return lambda _document, _entry: flags


_CHANGES: dict[str, Callable[[Document, Placed], Document]] = {
    "submitted": _bind,
    "accepted": _bind,
    "started": _bind,
    "progressed": _progress,
    "cancel_requested": _flags(cancel_requested=True),
    "contact_lost": _flags(contact_lost=True),
    "contact_regained": _flags(contact_lost=False),
    "closing": _claim,
    "adopted": _answer,
    "succeeded": _end,
    "failed": _end,
    "cancelled": _end,
    "abandoned": _end,
    "lost": _end,
    "resolved": _end,
    "disputed": _flags(disputed=True),
    "hold_placed": lambda _document, entry: {"held": True, "held_by": entry.event.actor},
    "hold_lifted": _flags(held=False, held_by=None),
    "expired": _flags(expired=True),
}
# The first two begin the document anew; of the others it says the phase, the time and the place alone.
_NOT_IN_CHANGES = named("planned refused suspended resumed attached detached late")
