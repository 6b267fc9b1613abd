"""How far a job has come, as its reports add up."""

from collections.abc import Mapping
from typing import Any


def advance(before: Mapping[str, Any] | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """Progress after a report; of per cent and units, the one told last stays."""
    counted, rated = "done" in said or "total" in said, "percent" in said
    overtaken = "percent" if counted and not rated else "done" if rated and not counted else None
    return {name: value for name, value in (before or {}).items() if name != overtaken} | dict(said)


def percent(progress: Mapping[str, Any] | None) -> float | None:
    """How far a job is, in per cent, as it was said or as units done of a total give it."""
    said = progress or {}
    if said.get("percent") is not None:
        return float(said["percent"])
    if said.get("done") is None or not said.get("total"):
        return None
    return min(100.0, round(100 * float(said["done"]) / float(said["total"]), 2))


def shown(progress: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Progress under the names that every face uses; None where nothing was told."""
    if progress is None:
        return None
    told = {name: progress.get(name) for name in ("percent", "done", "total", "unit", "message")}
    return told if told["percent"] is not None else told | {"percent": percent(progress)}
