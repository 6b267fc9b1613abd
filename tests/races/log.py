"""Holds a log of transition records against the rules of admission; shares no code with admission."""

from collections.abc import Iterable
from typing import Any

ENDS = {"succeeded", "failed", "cancelled", "abandoned", "resolved"}
AGAINST = {("exclusive", "exclusive"), ("exclusive", "shared"), ("shared", "exclusive")}


def violations(records: Iterable[dict[str, Any]], kind: str = "", at_most: int = 1 << 30) -> list[str]:
    """What the log shows that admission must not: jobs that exclude each other, a limit passed, a refusal untrue.

    `at_most` jobs of type `kind` on one entity are allowed at any position.
    """
    active: dict[str, dict[str, Any]] = {}
    found = []
    for record in records:
        job, event = record["job"], record["event"]
        if event in ENDS:
            active.pop(job, None)
        elif event == "planned":
            found += [f"{job} beside {other}" for other in _in_the_way(record, active)]
            active[job] = record
            found += [f"{entity} is over its limit" for entity in _crowded(active, kind, at_most)]
        elif event == "refused":
            gone = {blocker["job"] for blocker in record["blockers"]} - active.keys()
            found += [f"{job} was refused for {other}, which was not active" for other in gone]
    return found


def _in_the_way(record: dict[str, Any], active: dict[str, dict[str, Any]]) -> list[str]:
    return [
        other
        for other, held in active.items()
        for mine in record.get("entities", [])
        for theirs in held.get("entities", [])
        if (mine["type"], mine["id"]) == (theirs["type"], theirs["id"])
        and (mine["access"], theirs["access"]) in AGAINST
    ]


def _crowded(active: dict[str, dict[str, Any]], kind: str, at_most: int) -> list[str]:
    counts: dict[str, int] = {}
    for record in active.values():
        if record["type"] == kind:
            for entity in record["entities"]:
                name = f"{entity['type']}/{entity['id']}"
                counts[name] = counts.get(name, 0) + 1
    return [name for name, count in counts.items() if count > at_most]
