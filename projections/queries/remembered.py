"""A job as it was at a moment: its events up to then, folded as the views fold them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from ledger.asking.answers import JobView, Was
from ledger.domain.damage import out_of_turn
from ledger.domain.entities import EntityRef
from ledger.domain.events import Damaged, RecordedEvent
from ledger.domain.moment import AsOf
from ledger.domain.states import BEGINNING, Outcome, Phase
from projections.document import view
from projections.inline.job_status import Status, fold, spoil
from projections.inline.running_jobs import RunningJobs, StayRow, Stays

RUNNING = RunningJobs()
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A job at a moment: as the views showed it, what it held, and the entities that it had touched.

    What it had touched up to the position `snapshot`, if it is folded from there, is known to the view `running_jobs`.
    """

    view: JobView
    held: Sequence[StayRow]
    places: frozenset[Place]
    snapshot: int = 0

    @property
    def active(self) -> bool:
        """Whether it kept its entities busy."""
        return self.view.phase != Phase.CLOSED or self.view.outcome == Outcome.UNKNOWN

    def was(self) -> Was:
        """What others are told of it."""
        held = (EntityRef.model_construct(type=row["entity_type"], id=row["entity_id"]) for row in self.held)
        return Was(self.view, frozenset(held))


class Memory:
    """A job as it comes together, event by event, from its beginning or from a snapshot; it grows with what is held."""

    def __init__(self, as_of: AsOf) -> None:
        self._as_of = as_of
        self._status: Status | None = None
        self._stays: Stays | None = None
        self._places: set[Place] = set()
        self._snapshot = 0
        self._damaged = False
        self.version = 0

    def begin(self, status: Status, stays: Stays) -> None:
        """Go on from how the job was."""
        self._status, self._stays, self._places = status, stays, set()
        self._snapshot, self.version = status.document["position"], status.document["version"]

    def take(self, entry: RecordedEvent) -> None:
        """Take in the next event of the stream, if it counts: what had occurred, from the beginning of the job on."""
        if self._damaged or self._spoil(entry):
            return
        self.version = entry.event.version
        if not self._as_of.counts(entry) or (self._status is None and not _begins(entry)):
            return
        self._status = fold(self._status, entry)
        self._stays = RUNNING.fold(self._stays, entry)
        self._status.snapshots.clear()
        self._places |= {(row["entity_type"], row["entity_id"]) for row in self._stays.changes(before=0)}

    def _spoil(self, entry: RecordedEvent) -> bool:
        """Whether this row is no event, or stands out of turn; nothing counts that comes after it."""
        why = out_of_turn(self.version, entry.event) if entry.position <= self._as_of.position else None
        if why is not None:
            there = entry._replace(event=entry.event._replace(occurred_at=entry.recorded_at))
            self._status = spoil(self._status, there, why)
            self._stays = self._stays or RUNNING.fold(None, there)
            self._damaged = True
        return self._damaged

    def remembered(self) -> Remembered | None:
        """The job; None where it was not on record."""
        if self._status is None or self._stays is None:
            return None
        document = self._status.document
        if "outcome" in document:
            # By the callers' clocks a job may be resolved before it was lost: then it is closed all the same.
            document["phase"] = str(Phase.CLOSED)
        shown = view(document, self._status.touched.shown(), self._as_of.at)
        return Remembered(shown, list(self._stays.open.values()), frozenset(self._places), self._snapshot)


def _begins(entry: RecordedEvent) -> bool:
    return entry.event.name in BEGINNING


def counted(entries: Iterable[RecordedEvent], as_of: AsOf) -> Iterator[RecordedEvent]:
    """The events of a stream that count at a moment: from its beginning on, if that had occurred."""
    counting = (entry for entry in entries if as_of.counts(entry))
    return dropwhile(lambda entry: not (_begins(entry) or type(entry.event.fact) is Damaged), counting)
