"""How the views are, for `doctor` and for whoever only wants to know."""

from collections.abc import Iterator

from ledger.domain.values import POSITION_MAX
from ledger.store.diagnosis import Lag
from ledger.store.views import Session
from projections.followed import follower
from projections.inline import damaged, job_tree, lag


class Inspection:
    """What the store asks of views that it looks at (`ledger.store.views.Inspected`)."""

    def lag(self, session: Session) -> Lag:
        """By how many events the views that come with an append are behind or ahead, and whether they are empty."""
        return lag.lag(session)

    def followed(self, session: Session) -> dict[str, int]:
        """By how many events each followed view is behind, below 0 where it is ahead."""
        return follower.lags(session)

    def position(self, session: Session) -> int:
        """The position up to which the views are true that come with an append."""
        return job_tree.position(session)

    def damaged(self, session: Session) -> Iterator[tuple[int, str]]:
        """The rows that are no events where they stand, as the views met them: the position of each, and why."""
        for row in damaged.damaged_rows(session, POSITION_MAX):
            yield row.position, row.why
