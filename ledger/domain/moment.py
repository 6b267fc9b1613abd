"""A moment as of which something is told."""

from dataclasses import dataclass
from datetime import datetime

from ledger.domain.events import RecordedEvent


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment: events up to `position` count, and `at` is the time that it is then.

    With `occurred`, of those only what had occurred by then, as callers told it; a job begins with its plan or its
    refusal, so that nothing counts of it before that occurred. Where a time was asked for, `ahead_seconds` says how far
    the last event of the ledger is ahead of the clock, 0 where it is not: what is recorded until then bears its time.
    """

    position: int
    at: datetime
    occurred: bool = False
    ahead_seconds: float = 0.0

    def counts(self, entry: RecordedEvent) -> bool:
        """Whether an event belongs to what is told."""
        return entry.position <= self.position and (not self.occurred or entry.event.occurred_at <= self.at)
