"""Follows the ledger from any position: no gap, no duplicate, a tenth of a second late at most, whatever restarts."""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import Connection
from psycopg.rows import DictRow

from ledger import clock
from ledger.clock import monotonic
from ledger.domain.cursor import Cursor
from ledger.domain.events import Late, RecordedEvent
from ledger.domain.values import POSITION_MAX
from ledger.errors import DatabaseAway, PositionAhead
from ledger.store.connection import TURN_SECONDS_MAX, Bounded, connect
from ledger.store.datastore import Datastore
from ledger.store.follower import LOOK_SECONDS, Follower, News
from ledger.store.mapper import id_in, mark_of
from ledger.store.outage import Outage
from ledger.store.reading import head, read_all, rows_after
from ledger.store.standpoint import NOTHING, Known, Standpoint, check_standing, position_ahead
from ledger.store.statements import SQL
from ledger.store.streams import read_newest, read_stream, read_topic

__all__ = ["LOOK_SECONDS", "Feed"]

PAGE_EVENTS_MAX = 500
TELL_SECONDS = 1.0  # between two words that there is no news
IDLE_SECONDS_MAX = 60  # after which the connection of one who stands still is let go


class Feed:
    """Reads events by position and by stream; waits for new ones."""

    def __init__(self, datastore: Datastore, standpoint: Standpoint) -> None:
        self._datastore = datastore
        self._standpoint = standpoint
        self.follower = Follower(self._connect, datastore.check, _begin, self._go_on, PAGE_EVENTS_MAX)

    def _connect(self) -> Bounded:
        connection = connect(self._datastore.conninfo, self._datastore.speaker)
        seconds = TURN_SECONDS_MAX if connection.behind_pooler else IDLE_SECONDS_MAX
        connection.execute(SQL["let_go_when_idle"], {"milliseconds": seconds * 1_000})
        return connection

    def _go_on(self, connection: Connection[DictRow], after: Cursor, limit: int) -> tuple[list[RecordedEvent], Cursor]:
        """The next events, and the place of the last; what was read last must stand where it stood."""
        if after.event_id is None:
            rows = rows_after(connection, after, limit)
        else:
            parameters = {"after": int(after), "mark": mark_of(after.event_id), "limit": limit}
            rows = connection.execute(SQL["select_following"], parameters).fetchall()
            if not rows[0]["there"] or (rows[0]["other"] is not None and not _is(bytes(rows[0]["other"]), after)):
                raise position_ahead(after, ask_end(connection)["head"])
            rows = rows if rows[0]["notification_id"] is not None else []
        if not rows:
            return [], after
        place = _place(rows[-1])
        self._standpoint.reach(place, bytes(rows[-1]["state"]))  # whoever reads it may decide by it
        return read_all(connection, rows), place

    def close(self) -> None:
        """Let the connection go over which events are followed."""
        self.follower.close()

    def head(self) -> int:
        """The last position of the ledger, 0 where it is empty."""
        with self._datastore.connection() as connection:
            return head(connection)

    def end(self, *, proved: bool = True) -> Cursor:
        """Where the ledger ends, 0 where it is empty.

        Raises `PositionAhead` where this process knows an event that is no longer there, unless that is not `proved`.
        """
        known = self._standpoint.known if proved else NOTHING
        with self._datastore.connection() as connection:
            row = ask_end(connection, known)
        check_standing(known.cursor, row["head"], stands=row["stands"])
        state = bytes(row["state"] or b"")
        end = Cursor(row["head"], id_in(state))
        if proved and end:
            self._standpoint.reach(end, state)
        return end

    def ledger(self) -> str:
        """The UUID of the ledger."""
        with self._datastore.connection() as connection:
            return str(connection.execute(SQL["select_identity"]).fetchall()[0]["ledger"])

    def gone(self, places: Iterable[Cursor]) -> list[Cursor]:
        """Those of these places whose event is not, or no longer, where they say; of a bare number, where none is."""
        places = [*places]
        with self._datastore.connection() as connection:
            rows = connection.execute(SQL["select_ids"], {"positions": [int(place) for place in places]}).fetchall()
        there = {row["position"]: bytes(row["state"]) for row in rows}
        return [place for place in places if not _is(there.get(int(place)), place)]

    def check_place(self, place: Cursor) -> None:
        """Raise `PositionAhead` unless the event that a cursor names is where it says."""
        if self.gone([place]):
            raise position_ahead(place, self.head())

    def page(self, after: int, limit: int = PAGE_EVENTS_MAX) -> list[RecordedEvent]:
        """The next events after a position, `limit` at most."""
        with self._datastore.connection() as connection:
            return _page(connection, after, limit)

    def read(self, after: int = 0) -> Iterator[RecordedEvent]:
        """All events after a position up to the end of the ledger, page by page.

        Raises `PositionAhead` where another event stands than the one that a cursor names, or that was read last.
        """
        place = _cursor(after)
        while True:
            with self._datastore.connection() as connection:
                page, place = self._go_on(connection, place, PAGE_EVENTS_MAX)
            if not page:
                return
            yield from page

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

    def follow(
        self, after: int | None, timeout: float | None = None, *, seen: bool = False
    ) -> Iterator[RecordedEvent | None]:
        """Every event after a position (the end, where none is given), then those to come.

        `None` comes at once where nothing follows, then once a second while that is so, and while the database is away.
        Ends once `timeout` seconds have passed without end of news. Goes on over restarts and failovers of the
        database, from the last position. Raises `PositionAhead` where the ledger ends before `after`, or has another
        event there than the one that a `Cursor` names or that was read here; where that was there before (`seen`, or
        read here), only once it has been so for half a minute, for a stale primary may answer for a moment.
        """
        deadline = None if timeout is None else monotonic() + timeout
        told_at = -TELL_SECONDS
        following = _Following(self.follower, after, seen=seen)
        while True:
            page = following.page(deadline)
            yield from page
            now = monotonic()
            if page:
                told_at = now - TELL_SECONDS
                continue
            if now - told_at >= TELL_SECONDS:
                told_at = now
                yield None
            left = told_at + TELL_SECONDS - now if deadline is None else min(told_at + TELL_SECONDS, deadline) - now
            if deadline is not None and monotonic() >= deadline:
                return
            following.rest(left, deadline)

    @property
    def reached(self) -> int:
        """Up to which position whoever waits has been told of news, before the first where nobody has."""
        return self.follower.reached

    def rest(self, news: News | None, deadline: float | None) -> None:
        """Wait until there is news, or it is time to look again though there is none, or the deadline has come.

        Without news to wait for, of who looked and was not answered, it is time in a second, or once the database is
        back.
        """
        seconds = self.follower.again_seconds(TELL_SECONDS, answered=news is not None)
        news = news or News(POSITION_MAX)
        with clock.until(deadline):
            self.follower.rest(news, seconds if deadline is None else min(seconds, deadline - monotonic()))


class _Following:
    """One reader's place in the ledger; what comes next is read by what all readers of the process share."""

    def __init__(self, follower: Follower, after: int | None, *, seen: bool) -> None:
        self._follower = follower
        self._after = after
        self._seen = seen
        self._proven: int | None = None  # on which connection
        self._outage = Outage("Following", lambda: "the end" if self._after is None else f"position {self._after:,}")

    def page(self, deadline: float | None) -> list[RecordedEvent]:
        """The next events, none where there are none or the database is away."""
        try:
            with clock.until(deadline):
                page = self._follower.page(self._after, self._proven)
        except DatabaseAway:  # of which the follower tells
            return []
        except PositionAhead as error:
            if not self._seen:
                raise
            self._outage.stale(error)
            return []
        self._outage.over()
        self._seen = True
        self._after, self._proven = page.place, page.connection
        return page.entries

    def rest(self, seconds: float, deadline: float | None) -> None:
        """Wait until it is worth while to look again."""
        with clock.until(deadline):
            self._follower.rest(News(-1 if self._after is None else self._after), seconds)


def ask_end(connection: Connection[DictRow], known: Known = NOTHING) -> DictRow:
    """Where the ledger ends (`head`), the first bytes of its event (`state`), and whether a known one `stands`."""
    parameters = {"known": int(known.cursor), "mark": known.mark}
    return connection.execute(SQL["select_end_and_known"], parameters).fetchall()[0]


def _begin(connection: Connection[DictRow], after: int | None) -> Cursor:
    """The place to go on from, which the ledger must have reached: the end, where none is given."""
    row = ask_end(connection)
    if after is None:
        return Cursor(row["head"], id_in(bytes(row["state"] or b"")))
    if after > row["head"]:
        raise position_ahead(_cursor(after), row["head"])
    return _cursor(after)


def _cursor(after: int | None) -> Cursor:
    return after if isinstance(after, Cursor) else Cursor(after or 0)


def _is(state: bytes | None, place: Cursor) -> bool:
    """Whether the first bytes of an event are those of the one that a place names."""
    return state is not None and place.event_id in (None, id_in(state))


def _place(row: DictRow) -> Cursor:
    return Cursor(row["notification_id"], id_in(bytes(row["state"])))


def _page(connection: Connection[DictRow], after: int, limit: int) -> list[RecordedEvent]:
    return read_all(connection, rows_after(connection, int(after), limit))
