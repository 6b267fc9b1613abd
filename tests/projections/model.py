"""What the views must say, predicted by a naive fold that shares no code with them.

It reads recorded events as plain data, keeps every job as a dictionary, and looks nothing up but the lifecycle below,
which was written out by hand from the contract.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Facts = dict[str, Any]

UNSENT = ("planned", "submitted", "queued")
NEXT_PHASE: Mapping[str, Mapping[str, str]] = {
    "submitted": {"planned": "submitted"},
    "accepted": {"planned": "queued", "submitted": "queued"},
    "started": dict.fromkeys(UNSENT, "running"),
    "progressed": dict.fromkeys((*UNSENT, "suspended"), "running"),
    "suspended": dict.fromkeys((*UNSENT, "running"), "suspended"),
    "resumed": {"suspended": "running"},
    "closing": dict.fromkeys((*UNSENT, "running", "suspended"), "closing"),
}
ENDS = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "abandoned": "abandoned",
    "lost": "unknown",
}
NINETY_DAYS_SECONDS = 90 * 24 * 3_600


@dataclass
class Model:
    """The ledger as its events tell it, up to `position`."""

    jobs: dict[str, Facts] = field(default_factory=dict)
    stays: list[Facts] = field(default_factory=list)
    position: int = 0

    def take(self, entries: Iterable[Any]) -> None:
        """Fold further recorded events in."""
        for entry in entries:
            self.position = entry.position
            if entry.event.stream.startswith("job:"):
                self._take(entry, entry.event.fact.model_dump(mode="json"))

    def _take(self, entry: Any, said: Facts) -> None:
        event, name = entry.event, entry.event.name
        if name == "planned":
            before = self.jobs.get(event.job)
            self.jobs[event.job] = _fresh(event, said, root=said["root"])
            self.jobs[event.job]["flags"] = before["flags"] & {"on_hold"} if before else set()
            self.jobs[event.job]["planned_position"] = entry.position
            self._hold(entry, said["entities"])
        elif name == "refused":
            before = self.jobs.get(event.job)
            job = self.jobs[event.job] = _fresh(event, said["plan"], root=event.job)
            job["planned_position"] = entry.position
            job |= {
                "phase": "closed",
                "outcome": "refused",
                "closed": event.occurred_at,
                "aged_from": entry.recorded_at,
            }
            job["flags"] = before["flags"] - {"expired"} if before else set()
        else:
            self._change(self.jobs[event.job], entry, said)
        self.jobs[event.job] |= {"last_event": name, "version": event.version, "position": entry.position}

    def _change(self, job: Facts, entry: Any, said: Facts) -> None:
        event, name = entry.event, entry.event.name
        job["phase"] = NEXT_PHASE.get(name, {}).get(job["phase"], job["phase"])
        if job["started"] is None and (job["phase"] in ("running", "suspended") or name == "started"):
            job["started"] = event.occurred_at
        if event.raw and name not in ("late", "disputed"):
            job["raw"] = event.raw
        if name in ("submitted", "accepted", "started"):
            job |= {key: said[key] for key in ("executor", "external_id", "token") if said.get(key)}
            if event.owner and job["owner"] is None:
                job["owner"] = event.owner
        if name in ("closing", "adopted"):
            job["owner"] = event.owner
        if name == "progressed":
            job["progress"] = _progress(job["progress"], said)
        self._flag(job, name)
        self._touch(job, entry, said)

    def _flag(self, job: Facts, name: str) -> None:
        if name in ("cancel_requested", "contact_lost"):
            job["flags"].add(name)
        if name == "contact_regained" or name in ENDS:
            job["flags"].discard("contact_lost")
        if name == "hold_placed":
            job["flags"].add("on_hold")
        if name == "hold_lifted":
            job["flags"].discard("on_hold")
        if name == "expired":
            job["flags"].add("expired")

    def _touch(self, job: Facts, entry: Any, said: Facts) -> None:
        name = entry.event.name
        if name == "attached":
            self._hold(entry, said["entities"])
        if name == "detached":
            for entity in said["entities"]:
                self._let_go(entry, entity["type"], entity["id"], entity["role"])
        if name in ENDS or name == "resolved":
            job |= {"phase": "closed", "outcome": ENDS.get(name) or said["outcome"], "aged_from": entry.recorded_at}
            job |= {key: said[key] for key in ("result", "residue")}
            job["closed"] = job["closed"] or entry.event.occurred_at
            if name != "lost":
                for stay in self._open(entry.event.job):
                    stay |= {"to": entry.position, "until": entry.event.occurred_at, "ended": True}
            self._make(entry, said["products"])

    def _open(self, job: str) -> list[Facts]:
        return [stay for stay in self.stays if stay["job"] == job and stay["to"] is None]

    def _hold(self, entry: Any, entities: list[Facts]) -> None:
        held = [(stay["type"], stay["id"], stay["role"]) for stay in self._open(entry.event.job)]
        for entity in entities:
            if (entity["type"], entity["id"], entity["role"]) not in held:
                self.stays.append(_stay(entry, entity, to=None, until=None))

    def _make(self, entry: Any, products: list[Facts]) -> None:
        for product in products:
            self.stays.append(_stay(entry, product, to=entry.position, until=entry.event.occurred_at) | {"ended": True})

    def _let_go(self, entry: Any, kind: str, name: str, role: str | None) -> None:
        for stay in self._open(entry.event.job):
            if (stay["type"], stay["id"]) == (kind, name) and role in (None, stay["role"]):
                stay |= {"to": entry.position, "until": entry.event.occurred_at}

    # --- Answers

    def busy(self, kind: str, name: str) -> list[str]:
        """The active jobs on an entity, by the position at which each began to hold it."""
        found = [stay for stay in self.stays if (stay["type"], stay["id"], stay["to"]) == (kind, name, None)]
        order = sorted(found, key=lambda stay: (stay["from"], self.jobs[stay["job"]]["planned_position"]))
        return list(dict.fromkeys(stay["job"] for stay in order))

    def touched(self, job: str) -> list[tuple[str, str, str, str]]:
        """What a job holds, held when it closed, or made."""
        stays = [stay for stay in self.stays if stay["job"] == job and (stay["to"] is None or stay["ended"])]
        return sorted({(stay["type"], stay["id"], stay["role"], stay["access"]) for stay in stays})

    def tree(self, root: str) -> list[str]:
        """A job and all below it, level by level."""
        found, level = [root], [root]
        while level:
            level = [name for name in self._by_plan() if self.jobs[name]["parent"] in level and name not in found]
            found += level
        return found

    def _by_plan(self) -> list[str]:
        return sorted(self.jobs, key=lambda name: self.jobs[name]["planned_position"])

    def due_to_close(self) -> list[str]:
        """The parents whose children have all closed and whose end action nobody has claimed."""
        return [name for name in self._by_plan() if self._is_due(name)]

    def _is_due(self, name: str) -> bool:
        job = self.jobs[name]
        children = [child for child in self.jobs.values() if child["parent"] == name and child["outcome"] != "refused"]
        unclaimed = job["end_action"] == "owner" and job["phase"] not in ("closing", "closed")
        return unclaimed and bool(children) and all(child["phase"] == "closed" for child in children)

    def leaving(self, default: Facts, now: datetime) -> list[tuple[str, datetime | None, bool]]:
        """Every tree in the live views: its root, when it leaves, and whether newer jobs of its actor push it out."""
        trees: dict[str, list[Facts]] = {}
        for job in self.jobs.values():
            if "expired" not in job["flags"]:
                trees.setdefault(job["root"], []).append(job)
        return [self._leaves(root, trees, default, now) for root in sorted(trees)]

    def _leaves(
        self, root: str, trees: Mapping[str, list[Facts]], default: Facts, now: datetime
    ) -> tuple[str, datetime | None, bool]:
        tree, policy = trees[root], _policy(self.jobs[root]["retention"], default)
        if not _settled(tree):
            return root, None, False
        closed = _closed_at(tree)
        first = closed + timedelta(seconds=policy["dwell"])
        last = closed + timedelta(seconds=max(policy["keep_for"], policy["dwell"]))
        newer = sum(len(other) for name, other in trees.items() if self._ranks(name, root, trees))
        crowded = policy["keep_at_most"] is not None and newer + len(tree) > policy["keep_at_most"]
        leaves = min(last, max(now, first)) if crowded else last
        return root, None if _held(tree) else leaves, crowded and now < last

    def _ranks(self, name: str, root: str, trees: Mapping[str, list[Facts]]) -> bool:
        """Whether a tree of the same actor closed later than another, and so counts before it."""
        same = (self.jobs[name]["actor"] or "") == (self.jobs[root]["actor"] or "")
        if name == root or not same or not _settled(trees[name]):
            return False
        mine, other = _closed_at(trees[root]), _closed_at(trees[name])
        return other > mine or (other == mine and name < root)


def _fresh(event: Any, plan: Facts, *, root: str) -> Facts:
    return {
        "type": plan["type"],
        "parent": plan.get("parent"),
        "root": root,
        "retry_of": plan.get("retry_of"),
        "required": plan.get("required", True),
        "end_action": plan.get("end_action", "none"),
        "retention": plan.get("retention"),
        "params": plan.get("params") or None,
        "actor": event.actor,
        "owner": event.owner,
        "raw": event.raw,
        "phase": "planned",
        "outcome": None,
        "flags": set(),
        "progress": {},
        "planned": event.occurred_at,
        **dict.fromkeys(("executor", "external_id", "token", "started", "closed", "aged_from", "result")),
        "residue": False,
    }


def _stay(entry: Any, entity: Facts, **end: Any) -> Facts:
    names = {name: entity[name] for name in ("type", "id", "role", "access")}
    begun = {"from": entry.position, "since": entry.event.occurred_at}
    return {"job": entry.event.job, **names, **begun, **end, "ended": False}


def _progress(before: Facts, said: Facts) -> Facts:
    told = {name: said[name] for name in ("percent", "done", "total", "unit", "message") if said[name] is not None}
    after = before | told
    if "percent" in told and not {"done", "total"} & told.keys():
        after.pop("done", None)
    if "percent" not in told and {"done", "total"} & told.keys():
        after.pop("percent", None)
    return after


def _policy(retention: Facts | None, default: Facts) -> Facts:
    if retention is None:
        return default
    return {"keep_for": NINETY_DAYS_SECONDS, "keep_at_most": None, "dwell": 0} | retention


def _settled(tree: list[Facts]) -> bool:
    return all(job["phase"] == "closed" and job["outcome"] != "unknown" for job in tree)


def _held(tree: list[Facts]) -> bool:
    return any("on_hold" in job["flags"] for job in tree)


def _closed_at(tree: list[Facts]) -> datetime:
    times: list[datetime] = [job["aged_from"] for job in tree]
    return max(times)
