"""A job as it was at a moment: its events up to then, folded as the views fold them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from ledger.answers import JobView, Was
from ledger.domain.damage import out_of_turn
from ledger.domain.entities import EntityRef
from ledger.domain.events import Damaged, Planned, RecordedEvent, Refused
from ledger.domain.past import AsOf
from ledger.domain.states import Outcome, Phase
from projections.document import view
from projections.job_status import fold, spoil
from projections.running_jobs import Row, RunningJobs

RUNNING = RunningJobs()


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
    status, stays = None, None
    sound, damaged = _sound(entries, as_of)
    for entry in counted(sound, as_of):
        status = fold(status, entry)
        stays = RUNNING.fold(stays, entry)
    if damaged is not None:
        entry, why = damaged
        status, stays = spoil(status, entry, why), stays or RUNNING.fold(None, entry)
    if status is None or stays is None:
        return None
    if "outcome" in status.document:
        # By the callers' clocks a job may be resolved before it was lost: then it is closed all the same.
        status.document["phase"] = str(Phase.CLOSED)
    return Remembered(view(status.document, status.touched.shown(), as_of.at), stays.changes(before=0))


def _sound(
    entries: Iterable[RecordedEvent], as_of: AsOf
) -> tuple[list[RecordedEvent], tuple[RecordedEvent, str] | None]:
    """The events of a stream up to the first that is none or stands out of turn, and that one, with why."""
    sound: list[RecordedEvent] = []
    for entry in entries:
        if entry.position > as_of.position:
            break
        why = out_of_turn(sound[-1].event.version if sound else 0, entry.event)
        if why is not None:
            return sound, (entry._replace(event=entry.event._replace(occurred_at=entry.recorded_at)), why)
        sound.append(entry)
    return sound, None


def counted(entries: Iterable[RecordedEvent], as_of: AsOf) -> Iterator[RecordedEvent]:
    """The events of a stream that count at a moment: from its beginning on, if that had occurred."""
    counting = (entry for entry in entries if as_of.counts(entry))
    return dropwhile(lambda entry: not isinstance(entry.event.fact, Planned | Refused | Damaged), counting)
