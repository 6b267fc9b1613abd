"""A job as it was at a moment: its events up to then, folded as the views fold them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from ledger.answers import JobView, Was
from ledger.domain.entities import EntityRef
from ledger.domain.events import Planned, RecordedEvent, Refused
from ledger.domain.past import AsOf
from ledger.domain.states import Outcome, Phase
from ledger.domain.values import parse_time
from projections.job_status import fold, whole
from projections.queries import TIMES, entities_of, view
from projections.running_jobs import Row, RunningJobs, Stays

RUNNING = RunningJobs()
_STAY = ("from_position", "entity_type", "entity_id", "role", "access")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A job at a moment: as the views showed it, and its rows in the view `running_jobs`."""

    view: JobView
    touched: Sequence[Row]

    @property
    def active(self) -> bool:
        """Whether it kept its entities busy."""
        return self.view.phase != Phase.CLOSED or self.view.outcome == Outcome.UNKNOWN

    @property
    def held(self) -> list[Row]:
        """What it held."""
        return [row for row in self.touched if row["to_position"] is None]

    def was(self) -> Was:
        """What others are told of it."""
        held = (EntityRef.model_construct(type=row["entity_type"], id=row["entity_id"]) for row in self.held)
        return Was(self.view, frozenset(held))


def remember(entries: Iterable[RecordedEvent], as_of: AsOf) -> Remembered | None:
    """The job of a stream at a moment; None where it was not on record."""
    row: Row | None = None
    stays: Stays | None = None
    for entry in counted(entries, as_of):
        row = fold(row, entry)
        stays = RUNNING.fold(stays, entry)
    if row is None or stays is None:
        return None
    touched = stays.changes(before=0)
    return Remembered(view(_as_shown(whole(row), touched, as_of)), touched)


def counted(entries: Iterable[RecordedEvent], as_of: AsOf) -> Iterator[RecordedEvent]:
    """The events of a stream that count at a moment: from its beginning on, if that had occurred."""
    counting = (entry for entry in entries if as_of.counts(entry))
    return dropwhile(lambda entry: not isinstance(entry.event.fact, Planned | Refused), counting)


def _as_shown(row: Row, touched: Sequence[Row], as_of: AsOf) -> Row:
    """A folded row in the form in which the database would give it."""
    times = {name: parse_time(row[name]) for name in TIMES if row[name] is not None}
    # By the callers' clocks a job may be resolved before it was lost: then it is closed all the same.
    phase = str(Phase.CLOSED) if row["outcome"] else row["phase"]
    entities = _entities(touched, row["closed_position"])
    return {**row, **times, "phase": phase, "entities": entities, "asked_at": as_of.at}


def _entities(touched: Sequence[Row], closed_position: int | None) -> list[dict[str, Any]]:
    """What it holds, what it held when it closed, and what it made; not what it let go before (as in `job_view`)."""
    shown = [row for row in touched if row["to_position"] in (None, row["from_position"], closed_position)]
    return entities_of(sorted([row[name] for name in _STAY] for row in shown))
