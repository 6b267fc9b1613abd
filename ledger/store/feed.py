"""Follows the ledger from any position: no gap, no duplicate, a tenth of a second late at most, whatever restarts."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from time import sleep

from psycopg import Connection
from psycopg.rows import DictRow

from ledger import clock
from ledger.clock import monotonic
from ledger.domain.cursor import Cursor
from ledger.domain.events import Late, RecordedEvent
from ledger.errors import DatabaseAway, PositionAhead
from ledger.store.connection import connect, in_our_words
from ledger.store.datastore import Datastore
from ledger.store.mapper import id_in
from ledger.store.outage import Outage
from ledger.store.reading import read_all
from ledger.store.standpoint import NOTHING, Known, Standpoint, check_standing, position_ahead
from ledger.store.statements import SQL
from ledger.store.streams import read_newest, read_stream, read_topic

PAGE_EVENTS_MAX = 500
LOOK_SECONDS = 0.1  # by which news may be late
TELL_SECONDS = 1.0  # between two words that there is no news
IDLE_SECONDS_MAX = 60  # after which the connection of one who stands still is let go


class Feed:
    """Reads events by position and by stream; waits for new ones."""

    def __init__(self, datastore: Datastore, standpoint: Standpoint) -> None:
        self._datastore = datastore
        self._standpoint = standpoint

    def head(self) -> int:
        """The last position of the ledger, 0 where it is empty."""
        with self._datastore.connection() as connection:
            return int(connection.execute(SQL["select_head"]).fetchall()[0]["head"])

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

    def ids(self, positions: Iterable[int]) -> dict[int, str | None]:
        """The id of the event at each of these positions, as far as they are on record; None where it has none."""
        asked = {"positions": [int(position) for position in positions]}
        with self._datastore.connection() as connection:
            rows = connection.execute(SQL["select_ids"], asked).fetchall()
        return {row["position"]: id_in(bytes(row["state"])) for row in rows}

    def check_place(self, place: Cursor) -> None:
        """Raise `PositionAhead` unless the event that a cursor names is where it says."""
        if self.ids([place]).get(int(place)) != place.event_id:
            raise position_ahead(place, self.head())

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
        told = -TELL_SECONDS
        with closing(_Following(self._datastore.conninfo, after, seen=seen)) as following:
            while True:
                page = following.page(deadline)
                yield from page
                now = monotonic()
                if page:
                    told = now - TELL_SECONDS
                    continue
                if now - told >= TELL_SECONDS:
                    told = now
                    yield None
                left = following.pause if deadline is None else min(following.pause, deadline - monotonic())
                if left <= 0:
                    return
                sleep(left)


class _Following:
    """One reader's place in the ledger, and the connection over which it looks for what comes next.

    It looks ten times a second, and listens to no notifications: wherever it stands still, nobody keeps anything for
    it, and the server lets its connection go.
    """

    def __init__(self, conninfo: str, after: int | None, *, seen: bool) -> None:
        self._conninfo = conninfo
        self._after = after
        self._seen = seen
        self._connection: Connection[DictRow] | None = None
        self._outage = Outage("Following", lambda: "the end" if self._after is None else f"position {self._after:,}")

    @property
    def pause(self) -> float:
        """The seconds until it is worth while to look again."""
        return LOOK_SECONDS if self._outage.began is None else self._outage.pause

    def page(self, deadline: float | None) -> list[RecordedEvent]:
        """The next events, none where there are none or the database is away."""
        try:
            with clock.until(deadline), in_our_words:
                connection, after = self._connected()
                page, after = _go_on(connection, after, PAGE_EVENTS_MAX)
        except DatabaseAway as error:
            self.close()
            if deadline is None or monotonic() < deadline:
                self._outage.away(error)
            return []
        except PositionAhead as error:
            self.close()
            if not self._seen:
                raise
            self._outage.stale(error)
            return []
        self._outage.over()
        self._seen = True
        self._after = after
        return page

    def _connected(self) -> tuple[Connection[DictRow], Cursor]:
        if self._connection is None:
            self._connection = connect(self._conninfo)
            self._connection.execute(SQL["let_go_when_idle"], {"milliseconds": IDLE_SECONDS_MAX * 1_000})
            self._after = _begin(self._connection, self._after)
        return self._connection, _cursor(self._after)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


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


def _go_on(connection: Connection[DictRow], after: Cursor, limit: int) -> tuple[list[RecordedEvent], Cursor]:
    """The next events, and the place of the last; what was read last must stand where it stood."""
    proof = 0 if after.event_id is None else 1
    rows = _rows(connection, after - proof, limit + proof)
    if proof and not (rows and _place(rows[0]).text == after.text):
        raise position_ahead(after, ask_end(connection)["head"])
    return read_all(connection, rows[proof:]), _place(rows[-1]) if rows else after


def _place(row: DictRow) -> Cursor:
    return Cursor(row["notification_id"], id_in(bytes(row["state"])))


def _page(connection: Connection[DictRow], after: int, limit: int) -> list[RecordedEvent]:
    return read_all(connection, _rows(connection, after, limit))


def _rows(connection: Connection[DictRow], after: int, limit: int) -> list[DictRow]:
    return connection.execute(SQL["select_page"], {"after": int(after), "limit": limit}).fetchall()
