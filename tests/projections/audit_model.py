"""What a search must find, told naively: every event is looked at, with all that was said of its job before.

It shares no code with the view or its SQL, reads recorded events as plain data, and knows the filter as parsed terms.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from ledger.domain.filters import Filter, Term

Facts = dict[str, Any]

GIVES = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "abandoned": "abandoned",
    "lost": "unknown",
    "refused": "refused",
}
SWITCHES = {
    "hold_placed": ("on_hold", True),
    "hold_lifted": ("on_hold", False),
    "expired": ("expired", True),
    "disputed": ("disputed", True),
    "cancel_requested": ("cancel_requested", True),
    "contact_lost": ("contact_lost", True),
    "contact_regained": ("contact_lost", False),
}


class AuditModel:
    """All events, each with what was so then."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self.told = [_plain(entry) for entry in entries]
        self.rows = [self._row(place) for place in range(len(self.told))]
        for row in self.rows:
            row["revised"] = any(row["position"] == other["revises"] for other in self.rows)

    def find(self, which: Filter, now: datetime) -> list[Facts]:
        """What passes, in the order of the ledger."""
        return [row for row in self.rows if all(self._holds(term, row, now) for term in which.terms)]

    def durations(self, which: Filter, now: datetime) -> dict[str | None, list[float | None]]:
        """How long each job took whose outcome, as it stands, was given by what is found; by outcome, and all."""
        found: dict[str | None, list[float | None]] = {}
        for row in self.find(which, now):
            if row["outcome"] and row["position"] == self._standing(row["job"]):
                for outcome in (row["outcome"], None):
                    found.setdefault(outcome, []).append(row["seconds"])
        return found

    def _standing(self, job: str) -> int | None:
        """The position of the event that gave a job the outcome that it has."""
        last = None
        for row in self.rows:
            if row["job"] == job and (row["outcome"] or row["event"] == "planned"):
                last = row["position"] if row["outcome"] else None
        return last

    # --- What was so

    def _row(self, place: int) -> Facts:
        this = self.told[place]
        common = {name: this[name] for name in ("position", "recorded", "occurred", "event", "actor")}
        words = _words(this["event"], this["said"] | {"reason": this["reason"]})
        if this["owner_stream"]:
            return common | _NOBODY | {"owner": this["job"], "words": words}
        told = [other for other in self.told[: place + 1] if other["job"] == this["job"] and not other["owner_stream"]]
        life = told[max(n for n, other in enumerate(told) if other["event"] in ("planned", "refused")) :]
        plan = life[0]["said"].get("plan", life[0]["said"])
        outcome = this["said"]["outcome"] if this["event"] == "resolved" else GIVES.get(this["event"])
        return common | {
            "job": this["job"],
            "type": plan["type"],
            "above": self._above(place, this["job"]),
            "actor": this["actor"] or life[0]["actor"],
            "owner": this["owner"] or _owner(life),
            "executor": this["said"].get("executor") or _executor(life),
            "outcome": outcome,
            "seconds": _seconds(life, outcome) if outcome else None,
            "marks": _marks(told) | ({"verdict"} if this["actor"] == "recovery" else set()),
            "touched": _touched(life, plan),
            "revises": _given_before(told) if this["event"] in ("resolved", "disputed") else None,
            "words": words,
        }

    def _above(self, place: int, job: str) -> set[str]:
        """A job and all above it, as it stood at a place."""
        found: set[str] = set()
        name: Any = job
        while name is not None and name not in found:
            found.add(name)
            plans = [
                other["said"].get("plan", other["said"])
                for other in self.told[: place + 1]
                if other["job"] == name and other["event"] in ("planned", "refused")
            ]
            name = plans[-1].get("parent") if plans else None
        return found

    # --- What is asked

    def _holds(self, term: Term, row: Facts, now: datetime) -> bool:
        return any(_fits(str(term.key), value, row, now) for value in term.values) is not term.negated


_NOBODY: Facts = {
    **dict.fromkeys(("job", "type", "executor", "outcome", "seconds", "revises")),
    "above": set(), "marks": set(), "touched": set(),
}  # fmt: skip


def _plain(entry: Any) -> Facts:
    event = entry.event
    return {
        "position": entry.position,
        "recorded": entry.recorded_at,
        "occurred": event.occurred_at,
        "owner_stream": event.stream.startswith("owner:"),
        "said": event.fact.model_dump(mode="json"),
        **{name: getattr(event, name) for name in ("job", "actor", "owner", "reason")},
        "event": event.name,
    }


def _owner(life: Sequence[Facts]) -> Any:
    owner = life[0]["owner"]
    for told in life[1:]:
        binds = told["event"] in ("submitted", "accepted", "started")
        if told["event"] in ("closing", "adopted") or (binds and owner is None):
            owner = told["owner"]
    return owner


def _executor(life: Sequence[Facts]) -> str | None:
    named = [told["said"]["executor"] for told in life if told["said"].get("executor")]
    return named[-1] if named else None


def _marks(told: Sequence[Facts]) -> set[str]:
    on: set[str] = set()
    for each in told:
        name = each["event"]
        if name == "planned":
            on &= {"on_hold"}
        if name == "refused":
            on &= {"on_hold", "disputed"}
        if name in SWITCHES:
            mark, put = SWITCHES[name]
            on = on | {mark} if put else on - {mark}
        if (name in GIVES and name != "refused") or name == "resolved":
            on -= {"contact_lost", "residue"}
            on |= {"residue"} if each["said"]["residue"] else set()
    return on


def _entities(plan: Facts) -> list[Facts]:
    return [*plan.get("entities", []), *(entity for child in plan.get("children") or [] for entity in _entities(child))]


def _touched(life: Sequence[Facts], plan: Facts) -> set[tuple[str, str]]:
    """What was held before or after the last event, and what that one quotes."""
    plan = plan if "blockers" in life[0]["said"] else plan | {"children": []}
    held: list[tuple[str, str, str]] = []
    before: list[tuple[str, str, str]] = []
    for told in life:
        before, said = held, told["said"]
        if told["event"] in ("planned", "refused"):
            held = [(e["type"], e["id"], e.get("role", "target")) for e in _entities(plan)]
            before = []
        elif told["event"] == "attached":
            held = held + [(e["type"], e["id"], e["role"]) for e in said["entities"]]
        elif told["event"] == "detached":
            for gone in said["entities"]:
                held = [h for h in held if h[:2] != (gone["type"], gone["id"]) or gone["role"] not in (None, h[2])]
        else:
            held = held + [(e["type"], e["id"], e["role"]) for e in said.get("products", [])]
    last = life[-1]
    quoted = last["said"]["report"] if last["event"] == "late" else {}
    named = [(e["type"], e["id"]) for name in ("entities", "products") for e in quoted.get(name, [])]
    return {(kind, name) for kind, name, _ in held + before} | set(named)


def _given_before(told: Sequence[Facts]) -> int | None:
    given = None
    for each in told[:-1]:
        if each["event"] in GIVES or each["event"] == "resolved":
            given = each["position"]
        if each["event"] == "planned":
            given = None
    return given


def _seconds(life: Sequence[Facts], outcome: str) -> float | None:
    if outcome in ("refused", "abandoned"):
        return None
    phase, sent, worked, closed = "open", None, None, None
    for told in life:
        name = told["event"]
        if name == "closing":
            phase = "closing"
        works = name == "started" or (phase == "open" and name in ("progressed", "suspended", "resumed"))
        worked = told["occurred"] if works and worked is None else worked
        sent = told["occurred"] if name in ("submitted", "accepted", "started") and sent is None else sent
        closed = told["occurred"] if (name in GIVES or name == "resolved") and closed is None else closed
    began: datetime = worked or sent or life[0]["occurred"]
    assert closed is not None
    return float(max(0.0, (closed - began).total_seconds()))


def _words(event: str, said: Facts) -> str:
    error = said.get("error") or {}
    parts = [said.get("reason"), said.get("message") if event == "progressed" else None]
    parts += [error.get("code"), error.get("message"), *map(str, error.get("details", [])), *said.get("warnings", [])]
    report = said.get("report") or {}
    told = "\n".join(part for part in parts if part)
    return told + ("\n" + _words(report["event"], report) if report else "")


def _small(text: str) -> str:
    return "".join(chr(ord(char) + 32) if "A" <= char <= "Z" else char for char in text)


def _fits(key: str, value: Any, row: Facts, now: datetime) -> bool:  # noqa: PLR0911 - a rule a key
    if key in ("before", "after"):
        return bool((row["recorded"] < value.at(now)) is (key == "before"))
    if key == "occurred":
        late = value.start is None or row["occurred"] >= value.start.at(now)
        return bool(late and (value.end is None or row["occurred"] < value.end.at(now)))
    if key == "position":
        return bool((value.start or 0) <= row["position"] <= (value.end if value.end is not None else row["position"]))
    if key == "under":
        return value in row["above"]
    if key == "entity":
        return (value.type, value.id) in row["touched"]
    if key == "is":
        return bool(row["revised"]) if value == "revised" else value in row["marks"]
    if key == "text":
        return _small(value) in _small(row["words"])
    return bool(row[key] == value)
