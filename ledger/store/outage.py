"""An outage, as those who go on over it tell it: once that the database is away, once that it is back."""

import logging
from collections.abc import Callable

from ledger import clock
from ledger.errors import LedgerError

PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.1, 5.0
# A primary that was deposed and does not know yet may answer for a moment, and knows less than was seen.
STALE_SECONDS_MAX = 30.0

logger = logging.getLogger("ledger")


class Outage:
    """Counts what goes wrong in a row, and how long to pause before another try: longer each time, within bounds."""

    def __init__(self, what: str, place: Callable[[], str]) -> None:
        """`what` goes on, as in "The watch", from `place`, as in "position 7"."""
        self._what = what
        self._place = place
        self._stale_since: float | None = None
        self.began: float | None = None
        self.pause = PAUSE_SECONDS_MIN

    def away(self, error: LedgerError) -> None:
        """The database is away."""
        if self.began is None:
            logger.warning("%s goes on from %s once the database is back: %s", self._what, self._place(), error)
        self._count()

    def stale(self, error: LedgerError) -> None:
        """The database knows less than was seen; raises the error once that has been so for too long."""
        now = clock.monotonic()
        if self._stale_since is None:
            self._stale_since = now
            logger.warning("%s goes on from %s unless this stays so: %s", self._what, self._place(), error)
        if now - self._stale_since >= STALE_SECONDS_MAX:
            raise error
        self._count()

    def _count(self) -> None:
        if self.began is None:
            self.began, self.pause = clock.monotonic(), PAUSE_SECONDS_MIN
        else:
            self.pause = min(self.pause * 2, PAUSE_SECONDS_MAX)

    def over(self) -> None:
        """The database answers, and knows what was seen."""
        if self.began is not None:
            logger.warning("%s goes on from %s: the database is back.", self._what, self._place())
        self.began = self._stale_since = None
