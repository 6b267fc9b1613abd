"""Follows the ledger from any position: no gap, no duplicate, woken by NOTIFY and by a poll to be sure."""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import Connection
from psycopg.rows import DictRow

from ledger.clock import monotonic
from ledger.domain.events import Late, RecordedEvent
from ledger.errors import PositionAhead
from ledger.store.connection import connect, in_our_words
from ledger.store.datastore import Datastore
from ledger.store.mapper import read_recorded
from ledger.store.statements import SQL
from ledger.store.streams import read_newest, read_stream, read_topic

PAGE_EVENTS_MAX = 500
POLL_SECONDS = 1.0


class Feed:
    """Reads events by position and by stream; waits for new ones."""

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def head(self) -> int:
        """The last position of the ledger, 0 where it is empty."""
        with self._datastore.connection() as connection:
            return int(connection.execute(SQL["select_head"]).fetchall()[0]["head"])

    def page(self, after: int, limit: int = PAGE_EVENTS_MAX) -> list[RecordedEvent]:
        """The next events after a position, `limit` at most."""
        with self._datastore.connection() as connection:
            return _page(connection, after, limit)

    def read(self, after: int = 0) -> Iterator[RecordedEvent]:
        """All events after a position up to the end of the ledger, page by page."""
        while page := self.page(after):
            yield from page
            after = page[-1].position

    def stream(self, name: str, after: int = 0) -> Iterator[RecordedEvent]:
        """The events of one stream (`job:<id>`, `owner:<name>`) after a position, in order, page by page."""
        return read_stream(self._datastore.connection, name, after)

    def newest(self, names: Iterable[str]) -> Sequence[RecordedEvent]:
        """The newest event of each of these streams that has one."""
        with self._datastore.connection() as connection:
            return read_newest(connection, names)

    def lates(self, jobs: Iterable[str]) -> Iterator[RecordedEvent]:
        """The reports about these jobs that came too late, each job's in order, page by page."""
        return read_topic(self._datastore.connection, [f"job:{job}" for job in jobs], Late.topic)

    def follow(self, after: int, timeout: float | None = None) -> Iterator[RecordedEvent | None]:
        """Every event after a position, then those to come; `None` each time there is nothing new for a while.

        Ends once `timeout` seconds have passed without end of news. Raises `PositionAhead` where the ledger ends before
        `after`, and `Unavailable` where the connection is lost: following on from the last position loses nothing.
        """
        deadline = None if timeout is None else monotonic() + timeout
        with connect(self._datastore.conninfo) as connection, in_our_words:
            connection.execute("LISTEN stored_events")
            _check_reached(connection, after)
            while True:
                page = _page(connection, after, PAGE_EVENTS_MAX)
                yield from page
                if page:
                    after = page[-1].position
                    continue
                left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, deadline - monotonic())
                if left <= 0:
                    return
                yield None
                for _ in connection.notifies(timeout=left, stop_after=1):
                    pass


def _check_reached(connection: Connection[DictRow], after: int) -> None:
    head = int(connection.execute(SQL["select_head"]).fetchall()[0]["head"])
    if after > head:
        raise PositionAhead(
            f"A reader must not be further than the ledger, and it is at {after:,} where the ledger ends at {head:,}: "
            "the ledger was restored or failed over with loss.",
            position=after,
            head=head,
        )


def _page(connection: Connection[DictRow], after: int, limit: int) -> list[RecordedEvent]:
    rows = connection.execute(SQL["select_page"], {"after": after, "limit": limit}).fetchall()
    return [read_recorded(row) for row in rows]
