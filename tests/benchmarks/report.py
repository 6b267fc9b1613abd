"""The figures of a run as a table for people and as JSON for programs, held against what the design asks for."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.bench import Findings
from tests.benchmarks.measure import Spread


@dataclass(frozen=True)
class Target:
    """A figure that the design asks for: the part that finds it, what it is, its floor and its goal."""

    key: str
    part: str
    what: str
    floor: float | None = None
    goal: float | None = None
    less_is_better: bool = False

    def verdict(self, value: float) -> str:
        """How a value stands against floor and goal."""
        if self.floor is None:
            return ""
        sign = -1 if self.less_is_better else 1
        if self.goal is not None and sign * value >= sign * self.goal:
            return "goal"
        return "floor" if sign * value >= sign * self.floor else "MISSED"


TARGETS = (
    Target("write_ratio_64", "writes", "64 callers, of pgbench at 64 clients", 0.25, 0.5),
    Target("write_vs_library_64", "writes", "64 callers, of the library's plain recorder", 4, 8),
    Target("single_ratio", "writes", "a lone caller's p50, of a one-row INSERT", 4, 2, less_is_better=True),
    Target("bulk_events_per_s", "bulk", "import, events/s", 12_000, 40_000),
    Target("bulk_ratio", "bulk", "import, of plain INSERTs of 100 rows"),
    Target("guarded_write_ratio", "guards", "64 callers with the guards, of without", 0.95),
    Target("guarded_bulk_ratio", "guards", "import with the guards, of without", 0.95),
    Target(
        "long_stream_ratio", "streams", "next append at 100,000 events, of a new job", 1.3, 1.1, less_is_better=True
    ),
    Target(
        "long_stream_first_ratio", "streams", "the same, the first append of a process", 1.3, 1.1, less_is_better=True
    ),
    Target("busy_ratio", "reads", "busy at a million jobs, of SELECT 1", 2, 1.5, less_is_better=True),
    Target("busy_flatness", "reads", "busy at a million jobs, of 10 thousand", 1.3, less_is_better=True),
    Target("as_of_busy_ms", "past", "busy as of a position far back, p50 in ms"),
    Target("as_of_flatness", "past", "busy as of a position, of the same at 10 thousand events"),
    Target("siblings_ratio", "trees", "a child's end, 10,000 siblings, of 10", 1.3, 1.1, less_is_better=True),
    Target("parent_ratio", "trees", "a word about a parent of 10,000, of 10", 1.3, 1.1, less_is_better=True),
    Target("cancel_ratio", "trees", "cancel of a tree of 10,000, of an import", 1.5, 1, less_is_better=True),
    Target("expire_ratio", "trees", "expiry of a tree of 10,000, of an import", 1.5, 1, less_is_better=True),
    Target("tree_wait_ms", "trees", "the longest that others wait meanwhile, ms", 500, 200, less_is_better=True),
    Target("roll_up_ms", "trees", "roll-up of 10,000, p50 in ms", 50, 25, less_is_better=True),
    Target("rebuild_events_per_s", "rebuild", "rebuild of all views, events/s", 15_000, 100_000),
    Target("recovery_plan_s", "recovery", "recovery plan, seconds", 2, 0.5, less_is_better=True),
    Target("show_startup_s", "startup", "jobledger show JOB, start to end, seconds", 0.35, less_is_better=True),
    Target("history_events_per_s", "searches", "filling the search index, events/s", 15_000, 40_000),
    Target("search_ms", "searches", "the slowest search at a million events, p50 ms", 100, 20, less_is_better=True),
    Target("bytes_per_transition", "storage", "everything, bytes a transition", 2_000, 1_000, less_is_better=True),
    Target("bytes_per_event", "storage", "events with indexes, bytes an event", 650, 400, less_is_better=True),
    Target("seal_events_per_s", "sealing", "sealing, events/s", 50_000),
    Target("verify_events_per_s", "sealing", "verification, events/s", 100_000),
    Target("export_events_per_s", "sealing", "export with proofs, events/s"),
    Target("writes_sealed_ratio", "sealing", "16 callers beside a sealer, of 16 alone"),
    Target("vs_procrastinate_defer", "others", "64 callers, of procrastinate's defer"),
    Target("vs_pgqueuer_enqueue", "others", "64 callers, of pgqueuer's enqueue"),
)
KEYS = tuple(target.key for target in TARGETS)
FIGURES = "figures"


@dataclass
class Report:
    """What a run found, part by part, with where it was measured."""

    environment: Mapping[str, Any]
    ratios: dict[str, Spread | None] = field(default_factory=lambda: dict.fromkeys(KEYS))
    parts: dict[str, Findings] = field(default_factory=dict)
    took_seconds: dict[str, float] = field(default_factory=dict)

    def take(self, part: str, found: Findings, took_seconds: float) -> None:
        """Take in a part, which names the ratios of the design and no others."""
        assert set(found.ratios) == {target.key for target in TARGETS if target.part == part}
        self.ratios |= found.ratios
        self.parts[part], self.took_seconds[part] = found, took_seconds

    def as_json(self) -> str:
        """Each figure that the design asks for, null where it was not measured, and everything else below `figures`."""
        said: dict[str, Any] = {key: value and _rounded(value.median) for key, value in self.ratios.items()}
        figures: dict[str, Any] = {part: {**found.figures, "notes": found.notes} for part, found in self.parts.items()}
        asked = {key: value for key, value in self.ratios.items() if value}
        more = {"environment": self.environment, "spreads": asked, "took_seconds": self.took_seconds}
        return json.dumps(_plain({**said, FIGURES: {**figures, **more}}), indent=1)

    def as_text(self) -> str:
        """The tables, with how it was measured."""
        lines = [f"{name}: {value}" for name, value in self.environment.items()]
        for part, found in self.parts.items():
            lines += ["", f"{part} ({self.took_seconds[part]:.0f} s)", *(f"  {note}" for note in found.notes)]
            lines += _table(("", "median", "min", "max", "rounds"), _figure_rows(found.figures, ""))
        lines += ["", "what the design asks for"]
        lines += _table(("", "median", "min", "max", "floor", "goal", "holds"), map(self._target_row, TARGETS))
        return "\n".join(lines)

    def _target_row(self, target: Target) -> tuple[str, ...]:
        said = f"{target.key}: {target.what}"
        asked = tuple("" if value is None else f"{value:,g}" for value in (target.floor, target.goal))
        found = self.ratios[target.key]
        if found is None:
            return (said, "–", "", "", *asked, "")
        return (
            said,
            _short(found.median),
            _short(found.least),
            _short(found.most),
            *asked,
            target.verdict(found.median),
        )


def _figure_rows(figures: Mapping[Any, Any], above: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, value in figures.items():
        name = f"{above} {key}".strip()
        if isinstance(value, Spread):
            rows.append((name, _short(value.median), _short(value.least), _short(value.most), str(value.rounds)))
        elif isinstance(value, Mapping):
            rows += _figure_rows(value, name)
        elif isinstance(value, int | float):
            rows.append((name, _short(value), "", "", ""))
    return rows


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return [
        ("  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])).rstrip() for row in table
    ]


def _short(value: float) -> str:
    """Three digits that count, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _plain(value: Any) -> Any:
    """The value as JSON can say it."""
    if isinstance(value, Spread):
        return {name: _rounded(number) for name, number in value.as_json().items()}
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(member) for member in value]
    return _rounded(value) if isinstance(value, float) else value
