"""The search index for auditors: one row an event, with what was so of its job then.

Who caused an event that names nobody is the actor of its job, and so with owner and executor. An event touches what its
job held, holds or made around it, and what a late report names. A row changes only where the outcome that it gave is
resolved or disputed later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from ledger.domain.events import ENDINGS, LEDGER_FACTS, OWNER_FACTS, Damaged
from ledger.domain.facts import named
from ledger.domain.states import BEGINNING, OUTCOMES, TRANSITIONS, Outcome, Phase
from ledger.domain.values import parse_time, print_time
from ledger.errors import BadInput
from ledger.store.mapper import not_its_bytes
from ledger.store.views import Session
from projections.followed.stored_event import EventFields, StoredEntry
from projections.statements import FOLLOWED as SQL

State = dict[str, Any]
Names = dict[tuple[str, str], None]

FLAGS = ("held", "expired", "disputed", "cancel_requested", "contact_lost", "residue")
RECOVERY = "recovery"  # the actor of what recovery records (`ledger.recovery.reconcile.ACTOR`)
_OF_OWNERS = frozenset(fact.name for fact in OWNER_FACTS)
_OF_NO_JOB = _OF_OWNERS | {fact.name for fact in LEDGER_FACTS} | {Damaged.name}


class History:
    """The view `history`."""

    name = "history"
    version = 1
    tables: Mapping[str, str] = {
        "entries": "position",
        "touched": "entity_type, entity_id, position",
        "jobs": "job",
    }

    def project(self, session: Session, page: Sequence[StoredEntry]) -> None:
        """Write a row an event, from what it says and from what was so of its job."""
        events = (entry.event for entry in page)
        jobs = sorted({event.job for event in events if event.version > 1 and event.name not in _OF_NO_JOB})
        rows = _Rows(session.execute(SQL["select_history_jobs"], {"jobs": jobs}).fetchall() if jobs else [])
        for entry in page:
            _take(rows, entry)
        rows.write(session)


def _take(page: "_Rows", entry: StoredEntry) -> None:
    try:
        page.take(entry)
    except (KeyError, TypeError, AttributeError, ValueError, AssertionError, BadInput) as error:
        event = entry.event
        raise not_its_bytes(event.stream, event.version, event.name, repr(error)) from error


class _Rows:
    """The rows of one page of events, and the jobs as they leave them."""

    def __init__(self, rows: Sequence[State]) -> None:
        self._jobs: dict[str, State] = {row["job"]: _read_state(row) for row in rows}
        self._entries: list[tuple[Any, ...]] = []
        self._touched: list[tuple[str, str, int]] = []
        self._revised: dict[int, int] = {}
        self._changed: dict[str, None] = {}

    def take(self, entry: StoredEntry) -> None:
        """Take in the next event."""
        event, position = entry.event, entry.position
        job, name, said = event.job, event.name, event.said
        if name in _OF_NO_JOB:
            self._take_other(entry)
            return
        before = self._jobs.get(job)
        if before is None and name not in BEGINNING:
            self._take_other(entry)  # it follows what could not be read
            return
        state = self._jobs[job] = step(before, name, said, position)
        if name in _REVISING and before and before["outcome_position"]:
            self._revised.setdefault(before["outcome_position"], position)
        self._entries.append(_row(entry, name, said, job, state))
        self._touched += [(kind, id_, position) for kind, id_ in _touched(name, said, before, state)]
        self._changed[job] = None

    def _take_other(self, entry: StoredEntry) -> None:
        """Take in an event of no job, or that changes nothing of one."""
        event = entry.event
        job = event.job if event.stream.startswith("job:") else None
        owner = event.job if event.name in _OF_OWNERS else None
        self._entries.append(_row(entry, event.name, event.said, job, _OWNED | {"owner": owner}))

    def write(self, session: Session) -> None:
        """Write everything, a statement a table."""
        with session.cursor() as cursor, cursor.copy(SQL["copy_entries"]) as copy:
            for row in self._entries:
                copy.write_row(row)
        if self._touched:
            types, ids, positions = map(list, zip(*self._touched, strict=True))
            session.execute(SQL["insert_touched"], {"types": types, "ids": ids, "positions": positions})
        if self._changed:
            rows = to_json([{"job": job} | self._jobs[job] for job in self._changed]).decode()
            session.execute(SQL["upsert_history_jobs"], {"rows": rows})
        if self._revised:
            parameters = {"positions": list(self._revised), "revisions": list(self._revised.values())}
            session.execute(SQL["update_revised"], parameters)


# --- What is so of a job


def step(before: State | None, name: str, said: EventFields, position: int) -> State:
    """What is so of a job after an event; plain JSON values, so that nothing is decoded twice."""
    if name == "planned":
        return _begin(said, said) | ({"held": before["held"]} if before else {})
    if name == "refused":
        kept = {flag: before[flag] for flag in ("held", "disputed")} if before else {}
        closed = {"phase": Phase.CLOSED, "closed_at": said["at"], "outcome_position": position}
        return _begin(said["plan"], said) | closed | kept
    assert before is not None  # noqa: S101 - a stream begins with one of the two
    phase = TRANSITIONS[name].get(before["phase"], before["phase"])
    begun = before["started_at"] or (said["at"] if phase in _WORK else None)
    change = _CHANGES.get(name)
    changes = change(before, said, position) if change else {}
    return before | {"phase": phase, "started_at": begun, **changes}


_WORK = (Phase.RUNNING, Phase.SUSPENDED)
_REVISING = ("resolved", "disputed")
_NOT_IN_REVISING = named(
    "planned refused submitted accepted started progressed suspended resumed cancel_requested attached detached "
    "contact_lost contact_regained closing adopted succeeded failed cancelled abandoned lost late hold_placed "
    "hold_lifted expired"
)


def _bind(before: State, said: EventFields, _position: int) -> State:
    return {
        "sent_at": before["sent_at"] or said["at"],
        "executor": said.get("executor") or before["executor"],
        "owner": before["owner"] or said.get("owner"),
    }


def _start(before: State, said: EventFields, position: int) -> State:
    return _bind(before, said, position) | {"started_at": before["started_at"] or said["at"]}


def _answer(_before: State, said: EventFields, _position: int) -> State:
    return {"owner": said.get("owner")}


def _end(before: State, said: EventFields, position: int) -> State:
    return {
        "contact_lost": False,
        "residue": said.get("residue", False),
        "outcome_position": position,
        "closed_at": before["closed_at"] or said["at"],
        "entities": _attach(before["entities"], said.get("products", ()), role="product"),
    }


def _flags(**flags: bool) -> "Change":
    return lambda _before, _said, _position: flags


Change = Callable[[State, EventFields, int], State]
_CHANGES: Mapping[str, Change] = {
    "submitted": _bind,
    "accepted": _bind,
    "started": _start,
    "attached": lambda before, said, _: {"entities": _attach(before["entities"], said["entities"])},
    "detached": lambda before, said, _: {"entities": _detach(before["entities"], said["entities"])},
    "closing": _answer,
    "adopted": _answer,
    **{fact.name: _end for fact in ENDINGS},
    "cancel_requested": _flags(cancel_requested=True),
    "contact_lost": _flags(contact_lost=True),
    "contact_regained": _flags(contact_lost=False),
    "disputed": _flags(disputed=True),
    "hold_placed": _flags(held=True),
    "hold_lifted": _flags(held=False),
    "expired": _flags(expired=True),
}
# The first two begin the state anew; of the others it says the phase alone.
_NOT_IN_CHANGES = named("planned refused progressed suspended resumed late")


def _begin(plan: EventFields, said: EventFields) -> State:
    return {
        "parent": plan.get("parent"),
        "type": plan["type"],
        "actor": said.get("actor"),
        "owner": said.get("owner"),
        "executor": None,
        "phase": Phase.PLANNED,
        "planned_at": said["at"],
        "sent_at": None,
        "started_at": None,
        "closed_at": None,
        "outcome_position": None,
        **dict.fromkeys(FLAGS, False),
        "entities": _attach([], _asked(plan)),
    }


def _asked(plan: EventFields) -> Iterator[EventFields]:
    """The entities of a plan; one that was refused has those of its children too, for it was asked for as a whole."""
    yield from plan.get("entities", ())
    children = plan.get("children", ())
    for child in children if isinstance(children, list) else ():
        yield from _asked(child)


def _attach(held: list[list[str]], entities: Any, role: str = "target") -> list[list[str]]:
    new = [[entity["type"], entity["id"], entity.get("role", role)] for entity in entities]
    return [*held, *(triple for triple in new if triple not in held)] if new else held


def _detach(held: list[list[str]], releases: Sequence[EventFields]) -> list[list[str]]:
    gone = {(release["type"], release["id"], release.get("role")) for release in releases}
    return [triple for triple in held if not {tuple(triple), (triple[0], triple[1], None)} & gone]


_TIMES = ("planned_at", "sent_at", "started_at", "closed_at")


def _read_state(row: State) -> State:
    times = {name: print_time(row[name]) for name in _TIMES if row[name]}
    return {name: value for name, value in (row | times).items() if name != "job"}


_OWNED: State = dict.fromkeys(("parent", "type", "actor", "owner", "executor")) | dict.fromkeys(FLAGS, False)


# --- What is said of an event


def _row(entry: StoredEntry, name: str, said: EventFields, job: str | None, state: State) -> tuple[Any, ...]:
    outcome = _outcome(name, said)
    return (
        entry.position,
        entry.recorded_at,
        said["at"],
        name,
        job,
        state["parent"],
        state["type"],
        said.get("actor") or state["actor"],
        said.get("owner") or state["owner"],
        said.get("executor") or state["executor"],
        outcome,
        _seconds(state, outcome) if outcome else None,
        state["held"],
        state["expired"],
        state["disputed"],
        state["cancel_requested"],
        state["contact_lost"],
        state["residue"],
        job is not None and said.get("actor") == RECOVERY,
        "\n".join(_words(name, said)) or None,
    )


def _outcome(event: str, said: EventFields) -> str | None:
    """The outcome that an event gave its job."""
    if event == "resolved":
        return str(said["outcome"])
    return str(OUTCOMES[event]) if event in OUTCOMES else None


def _seconds(state: State, outcome: str) -> float | None:
    """How long a job took: from its first work, else from when it was sent or planned; None where it never began."""
    if outcome in _NEVER_BEGUN:
        return None
    began = state["started_at"] or state["sent_at"] or state["planned_at"]
    return max(0.0, (parse_time(state["closed_at"]) - parse_time(began)).total_seconds())


_NEVER_BEGUN = (Outcome.REFUSED, Outcome.ABANDONED)


def _touched(event: str, said: EventFields, before: State | None, state: State) -> Names:
    held = before["entities"] if before and event not in BEGINNING else []
    found: Names = dict.fromkeys((kind, name) for kind, name, _ in held)
    if state["entities"] is not held:  # as it is where nothing came or went
        found |= dict.fromkeys((kind, name) for kind, name, _ in state["entities"])
    if event == "late":
        report = said["report"]
        told = [*report.get("entities", ()), *report.get("products", ())]
        found |= dict.fromkeys((entity["type"], entity["id"]) for entity in told)
    return found


def _words(event: str, said: EventFields) -> Iterator[str]:
    """What people and executors said: reason, error, message and warnings, those of a quoted report included."""
    if said.get("reason"):
        yield said["reason"]
    if event == "progressed" and said.get("message"):
        yield said["message"]
    if said.get("error"):
        yield from _words_of_error(said["error"])
    if said.get("why"):
        yield said["why"]
    yield from said.get("warnings", ())
    if said.get("report"):
        yield from _words(said["report"].get("event", ""), said["report"])


def _words_of_error(error: EventFields) -> Iterator[str]:
    yield from (error[name] for name in ("code", "message") if error.get(name))
    yield from (item if isinstance(item, str) else to_json(item).decode() for item in error.get("details", ()))
