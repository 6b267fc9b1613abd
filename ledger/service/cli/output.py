"""How answers look: tables for people, JSON for programs."""

import codecs
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.clock import monotonic
from ledger.service.cli.terminal import plain, plain_json, unguarded
from ledger.service.wire import event_json

if TYPE_CHECKING:
    from ledger.asking.answers import JobView
    from ledger.domain.events import RecordedEvent


class Form(StrEnum):
    """The forms of output."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


Output = Annotated[Form, typer.Option("-o", "--output", help="How to print the answer.", show_default=True)]

_MARKS = {
    "succeeded": "green",
    "failed": "red",
    "unknown": "magenta",
    "cancelled": "yellow",
    "refused": "yellow",
    "abandoned": "yellow",
    "running": "cyan",
    "lost": "magenta",
    "disputed": "magenta",
}


def print_json(value: Any) -> None:
    """One JSON document on one line."""
    ascii_alone = codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"
    sys.stdout.write(plain_json(json.dumps(value, ensure_ascii=ascii_alone, separators=(",", ":"))) + "\n")


def print_exact(text: str) -> None:
    """A text that is read byte for byte, such as a signed note: in UTF-8, whatever is said otherwise.

    A terminal reads no bytes, and is shown the text as any other.
    """
    if sys.stdout.isatty():
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def print_jsonl(values: Iterable[Any]) -> None:
    """A JSON document a line, each as soon as it is there."""
    for value in values:
        print_json(value)
    sys.stdout.flush()


def say(sentence: str) -> None:
    """A sentence that is the answer, on stdout."""
    print(plain(sentence))  # noqa: T201 - here, and nowhere else


def note(sentence: str) -> None:
    """A word to the person, on stderr."""
    print(plain(sentence), file=sys.stderr)  # noqa: T201 - likewise


CATCHING_UP_SECONDS = 1.0  # between two words on how far a view has come


def catching_up(what: str) -> Callable[[int, int], None]:
    """What tells the person how far something has come that takes long: `what` with its verb, as in "The views are"."""
    last_told_at = monotonic()

    def tell(position: int, goal: int) -> None:
        nonlocal last_told_at
        if monotonic() - last_told_at >= CATCHING_UP_SECONDS:
            last_told_at = monotonic()
            note(f"{what} at position {position:,} of {goal:,}.")

    return tell


# The columns that may be folded, each with the width that it keeps.
FOLDED = {
    "why": 16,
    "entities": 24,
    "job": 36,
    "tree": 30,
    "progress": 8,
    "actor": 8,
    "reason": 8,
    "said": 30,
    "finding": 30,
    "value": 30,
}


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal, long columns folded, or as wide as it needs to be where there is none."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[plain(cell) for cell in row] for row in rows]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, column in enumerate(columns):
        longest = max((len(row[place]) for row in cells), default=0)
        kept = min(longest, FOLDED.get(column, longest))
        table.add_column(column, overflow="fold", no_wrap=column not in FOLDED, min_width=max(kept, len(column)))
    for row in cells:
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    screen = unguarded(sys.stdout)
    console = Console(file=screen, width=None if sys.stdout.isatty() else 200, highlight=False, no_color=_colourless())
    # A table that cannot be as narrow as the terminal keeps its columns, and the terminal breaks its lines.
    width = max(console.width, console.measure(table).minimum)
    console.print(table, width=width, crop=False, soft_wrap=width > console.width)


def _colourless() -> bool | None:
    return True if "NO_COLOR" in os.environ else None


def _style(cell: str) -> str:
    return _MARKS.get(cell.partition(" ")[0], "")


def moment(value: datetime | None) -> str:
    """A time for people, in UTC, to the second."""
    return value.strftime("%Y-%m-%d %H:%M:%SZ") if value else "–"


def span(seconds: float | None) -> str:
    """A span for people."""
    if seconds is None:
        return "–"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    if hours >= 48:  # noqa: PLR2004 - two days
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {left:02} s"


def state(job: "JobView") -> str:
    """Phase or outcome, with the flags."""
    word = job.outcome or job.phase
    return f"{word} ({', '.join(job.flags)})" if job.flags else word


def progress(job: "JobView") -> str:
    """How far a job is, in a few words."""
    return how_far(job.progress or {}) or "–"


def how_far(measure: Mapping[str, Any]) -> str:
    """What is said of progress, in a few words."""
    parts = []
    if measure.get("percent") is not None:
        parts.append(f"{measure['percent']:g} %")
    if measure.get("done") is not None:
        total = f" of {measure['total']:g}" if measure.get("total") is not None else ""
        parts.append(f"{measure['done']:g}{total}{' ' + measure['unit'] if measure.get('unit') else ''}")
    if measure.get("message"):
        parts.append(measure["message"])
    return ", ".join(parts)


def entities(items: Sequence[Mapping[str, Any]], limit: int = 3) -> str:
    """The first few entities of a job, what it is about in front; one that is let go in every role names none."""
    return names((f"{i['type']}/{i['id']}" for i in sorted(items, key=lambda i: i.get("role") != "target")), limit)


def counted(number: int, noun: str) -> str:
    """How many there are of what a noun names, whose plural has an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def names(words: Iterable[str], limit: int = 3) -> str:
    """The first few names, each once."""
    distinct = list(dict.fromkeys(words))
    return ", ".join(distinct[:limit]) + (f" and {len(distinct) - limit} more" if len(distinct) > limit else "")


def print_jobs(jobs: Iterable["JobView"]) -> None:
    """A table of jobs."""
    print_table(
        ("job", "type", "state", "progress", "planned", "elapsed", "entities"),
        (
            (job.job, job.type, state(job), progress(job), moment(job.planned_at), span(job.elapsed_seconds),
             entities(job.entities, limit=1))
            for job in jobs
        ),
    )  # fmt: skip


def event_said(entry: "RecordedEvent") -> str:
    """What an event says, in a few words."""
    record = event_json(entry)
    hidden = {"job", "event", "at", "id", "position", "version", "recorded_at", "actor", "reason", "entities"}
    words = [entities(record["entities"])] if record.get("entities") else []
    for key, value in record.items():
        if key not in hidden:
            words.append(f"{key} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    return ", ".join(words)
