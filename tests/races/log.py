"""Holds a log of transition records against the rules of admission; shares no code with admission."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

ENDS = {"succeeded", "failed", "cancelled", "abandoned", "resolved"}
PASSED_OVER = {  # what says nothing of what a job holds; who is lost goes on holding it
    "submitted", "accepted", "started", "progressed", "suspended", "resumed", "cancel_requested", "contact_lost",
    "contact_regained", "closing", "adopted", "lost", "disputed", "late", "hold_placed", "hold_lifted", "expired",
}  # fmt: skip
AGAINST = {("exclusive", "exclusive"), ("exclusive", "shared"), ("shared", "exclusive")}

Record = dict[str, Any]
Place = tuple[str, str]


def violations(records: Iterable[Record]) -> list[str]:
    """What the log shows that admission must not: jobs that exclude each other, a limit passed, a refusal untrue."""
    log = Log()
    return [found for record in records for found in log.take(record)]


@dataclass
class Held:
    """What an active job holds of an entity in one role."""

    access: str
    since: str


@dataclass
class Active:
    """A job that is not closed, or lost and not resolved."""

    type: str
    root: str
    owner: str | None
    limits: list[Record]
    holds: dict[Place, dict[str, Held]] = field(default_factory=dict)


class Log:
    """The log up to a position: which jobs are active, and which of them are on each entity."""

    def __init__(self) -> None:
        self._roots: dict[str, str] = {}
        self._active: dict[str, Active] = {}
        self._on: dict[Place, set[str]] = {}
        self._family: list[str] = []
        self._due = 0

    def take(self, record: Record) -> Iterator[str]:
        """What is wrong with the next record."""
        job, event = record["job"], record["event"]
        if event == "planned":
            yield from self._plan(record)
        elif event == "attached":
            yield from self._hold(record)
            touched = {_place(entity) for entity in record["entities"]}
            yield from self._over_limits(job, [job], touched)
        elif event == "detached":
            for entity in record["entities"]:
                self._let_go(job, _place(entity), entity.get("role"))
        elif event in ENDS:
            for place in list(self._active[job].holds):
                self._let_go(job, place, None)
            del self._active[job]
        elif event == "refused":
            yield from self._refused(record)
        elif event not in PASSED_OVER:
            yield f"{job} has a {event}, of which no rule is known"

    # --- Who holds what

    def _plan(self, record: Record) -> Iterator[str]:
        job = record["job"]
        self._roots[job] = self._root(record.get("parent"), job)
        self._active[job] = Active(record["type"], self._roots[job], record.get("owner"), record.get("limits", []))
        yield from self._hold(record)
        # The jobs of one append are admitted together, and a limit counts them all.
        self._due = self._due - 1 if self._family else len(_parts(job, record)) - 1
        self._family.append(job)
        if self._due == 0:
            family, self._family = self._family, []
            yield from self._over_limits(job, family)

    def _root(self, parent: str | None, job: str) -> str:
        return self._roots[parent] if parent else job

    def _hold(self, record: Record) -> Iterator[str]:
        job = record["job"]
        active = self._active[job]
        for entity in record.get("entities", []):
            place, access = _place(entity), entity["access"]
            for other, _ in self._against(active.root, {(place, access)}):
                yield f"{job} was admitted beside {other} on {_name(place)}"
            active.holds.setdefault(place, {}).setdefault(entity["role"], Held(access, record["at"]))
            self._on.setdefault(place, set()).add(job)

    def _let_go(self, job: str, place: Place, role: str | None) -> None:
        held = self._active[job].holds.get(place, {})
        for name in [name for name in held if role in (None, name)]:
            del held[name]
        if not held:
            self._active[job].holds.pop(place, None)
            self._on.get(place, set()).discard(job)

    # --- What follows from it

    def _against(self, root: str, asked: set[tuple[Place, str]]) -> Iterator[tuple[str, tuple[Place, str]]]:
        for place, access in asked:
            for other in self._on.get(place, ()):
                if self._active[other].root != root:
                    for held in self._active[other].holds[place].values():
                        if (access, held.access) in AGAINST:
                            yield other, (place, held.access)

    def _counted(self, limit: Record) -> set[str]:
        on = self._on.get(_place(limit["entity"]), set())
        return {job for job in on if self._active[job].type == limit["type"]}

    def _over_limits(self, job: str, family: list[str], touched: set[Place] | None = None) -> Iterator[str]:
        """The limits of a family that are passed; after an attach, those on what was attached."""
        for limit in (limit for member in family for limit in self._active[member].limits):
            count = len(self._counted(limit))
            if count > limit["at_most"] and (touched is None or _place(limit["entity"]) in touched):
                yield f"{job} was admitted as number {count} of {_limit(limit)}"

    def _refused(self, record: Record) -> Iterator[str]:
        job, told = record["job"], {_blocker(blocker) for blocker in record["blockers"]}
        expected = self._expected(_parts(job, record["plan"]), self._root(record["plan"].get("parent"), job))
        yield from (f"{job} was refused for {who}, which was not in the way" for who in told - expected)
        yield from (f"{job} was refused without a word of {who}" for who in expected - told)
        yield from (f"{job} was refused for nothing" for _ in [1] if not expected)
        for blocker in record["blockers"]:
            if blocker["job"] in self._active and not self._is_true(blocker):
                yield f"{job} was told what is not so of {blocker['job']}"

    def _expected(self, parts: list[tuple[str, Record]], root: str) -> set[tuple[str, str]]:
        """Each job that is in the way of a plan and its children, with what of it is."""
        asked = {(_place(entity), entity["access"]) for _, part in parts for entity in part.get("entities", [])}
        found = {(other, f"{_name(place)} {access}") for other, (place, access) in self._against(root, asked)}
        for limit in (limit for _, part in parts for limit in part.get("limits", [])):
            coming = {job for job, part in parts if part["type"] == limit["type"] and _names(part, limit)}
            present = self._counted(limit) - coming
            if len(present) + len(coming) > limit["at_most"]:
                found |= {(other, _limit(limit)) for other in present or coming}
        return found

    def _is_true(self, blocker: Record) -> bool:
        active = self._active[blocker["job"]]
        held = active.holds.get(_place(blocker["entity"]), {}).values()
        holds = (blocker["access"], blocker["since"]) in {(it.access, it.since) for it in held}
        return holds and (blocker["type"], blocker["owner"]) == (active.type, active.owner)


def _place(entity: Record) -> Place:
    return entity["type"], entity["id"]


def _name(place: Place) -> str:
    return "/".join(place)


def _limit(limit: Record) -> str:
    return f"at most {limit['at_most']} {limit['type']} on {_name(_place(limit['entity']))}"


def _blocker(blocker: Record) -> tuple[str, str]:
    on = _limit(blocker["limit"]) if "limit" in blocker else f"{_name(_place(blocker['entity']))} {blocker['access']}"
    return blocker["job"], on


def _names(part: Record, limit: Record) -> bool:
    return _place(limit["entity"]) in map(_place, part.get("entities", []))


def _parts(job: str, plan: Record) -> list[tuple[str, Record]]:
    """A plan and all planned with it, each under its job."""
    return [(job, plan), *(part for child in plan.get("children", []) for part in _parts(child["job"], child))]
