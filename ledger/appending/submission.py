"""What callers submit, read into transitions under ids: their own, or one by which a lost append is found again."""

from collections.abc import Mapping
from typing import Any

from ledger import clock
from ledger.domain.commands import Transition, is_light, parse_transition
from ledger.domain.epoch import OwnerEpoch
from ledger.domain.events import OWNER_FACTS
from ledger.errors import MalformedRecord

CHOSEN = "~"
Record = Mapping[str, Any] | str | bytes | Transition


class Submission:
    """What one caller wants on record, as it was given; what takes long to read is read at once, the rest in its turn.

    `speaker` is the owner that says it, where it names none other, and `begun_by` the event that began its epoch, where
    that is known. Raises `BadInput`.
    """

    __slots__ = ("_begun_by", "_record", "_speaker", "_transition")

    def __init__(self, record: Record, speaker: OwnerEpoch | None = None, begun_by: str | None = None) -> None:
        self._record = record
        self._speaker = speaker
        self._begun_by = begun_by
        self._transition: Transition | None = None
        if not is_light(record):
            self.transition()

    def transition(self) -> Transition:
        """The transition under an id, the same one whenever it is asked for; raises `BadInput`."""
        if self._transition is None:
            record = self._record
            said = record if isinstance(record, Transition) else parse_transition(record, clock.new_id)
            if self._speaker is not None and self._is_its_own(said):
                owner, epoch = self._speaker
                said = said._replace(owner=owner, epoch=epoch, begun_by=self._begun_by)
            self._transition = identified(said)
        return self._transition

    def _is_its_own(self, said: Transition) -> bool:
        """Whether the owner says it for itself: not of an owner, and in no other epoch."""
        return type(said.fact) not in OWNER_FACTS and (said.owner is None or (said.owner, said.epoch) == self._speaker)


def identified(said: Transition) -> Transition:
    """The transition under an id; raises `MalformedRecord` where its own looks like one that is chosen here."""
    if said.id is None:
        return Transition(said.job, said.fact, said.at, CHOSEN + clock.new_id(), *said[4:])  # half the time of _replace
    if is_chosen(said.id):
        raise MalformedRecord(f"The id of a transition must not begin with {CHOSEN}, and this is {said.id}.")
    return said


def is_chosen(event_id: str) -> bool:
    """Whether an id was chosen here, so that it means nothing to the caller."""
    return event_id.startswith(CHOSEN)
