"""A moment as of which something is told."""

from dataclasses import dataclass
from datetime import datetime

from ledger.domain.events import RecordedEvent


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment: events up to `position` count, and `at` is the time that it is then.

    With `occurred`, of those only what had occurred by then, as callers told it; a job begins with its plan or its
    refusal, so that nothing counts of it before that occurred.
    """

    position: int
    at: datetime
    occurred: bool = False

    def counts(self, entry: RecordedEvent) -> bool:
        """Whether an event belongs to what is told."""
        return entry.position <= self.position and (not self.occurred or entry.event.occurred_at <= self.at)
