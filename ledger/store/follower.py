"""What is new in the ledger, read once for all of a process who wait or watch, over one connection.

There is no thread to start, to stop or to die: of those who wait one leads. It looks ten times a second for all, and
whoever has news is woken, and no one else; so a thousand waits cost hardly more than one. It listens to no
notifications: where all of them stand still, nobody keeps anything for them, and the server lets the connection go.

What was read is kept for a while, so that each event is decoded once. A reader's place is its own: one that stands
still holds up nobody and has nothing kept for it, and where it is further behind than what is kept, it reads for
itself, over the same connection, and looks for the others before it does.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from ledger import clock, forks
from ledger.domain.cursor import Cursor
from ledger.domain.events import RecordedEvent
from ledger.errors import DatabaseAway, PositionAhead
from ledger.store.connection import Bounded, in_our_words
from ledger.store.outage import Outage

LOOK_SECONDS = 0.1  # by which news may be late
WAIT_SECONDS_MAX = 2.0  # of one who waits to be woken: an interrupt just before that is seen only then
KEPT_EVENTS_MAX, KEPT_BYTES_MAX = 2_000, 4 * 1_024 * 1_024
LOOKS_A_SECOND = 10.0  # by all who look again though nothing is new

Concerns = Callable[[RecordedEvent], bool]


class _Recent(NamedTuple):
    """What was read lately: the events after a position up to another; always exchanged as a whole."""

    began: int
    reached: Cursor
    entries: list[RecordedEvent]
    size_bytes: int = 0

    def after(self, position: int) -> list[RecordedEvent]:
        """Those after a position."""
        return self.entries[bisect_right(self.entries, position, key=lambda entry: entry.position) :]

    def with_page(self, page: list[RecordedEvent], reached: Cursor) -> "_Recent":
        """The same with the next events, up to there; where that is too much, without the older half, or all."""
        began, entries = self.began, self.entries + page
        size = self.size_bytes + sum(map(_size, page))
        while len(entries) > KEPT_EVENTS_MAX or (entries and size > KEPT_BYTES_MAX):
            count = (len(entries) + 1) // 2
            size -= sum(map(_size, entries[:count]))
            began, entries = entries[count - 1].position, entries[count:]
        return _Recent(began, reached, entries, size)


class Page(NamedTuple):
    """The next events of a reader, the place behind them, and the connection on which that was proven."""

    entries: list[RecordedEvent]
    place: Cursor
    connection: int


class News:
    """What somebody waits for: events after a position, of some jobs or of any, that concern it."""

    def __init__(self, after: int, jobs: Collection[str] | None = None, concerns: Concerns = lambda _: True) -> None:
        self.after = after
        self.jobs = jobs
        self.concerns = concerns


class _Waiter:
    """One who waits; its gate opens where it has news, is to lead, or had better look for itself."""

    def __init__(self, news: News) -> None:
        self.news = news
        self.come = self.doubtful = False
        self.error: PositionAhead | None = None
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self) -> None:
        """Open its gate; said by one at a time."""
        if self._gate.locked():
            self._gate.release()

    def wait(self, seconds: float) -> None:
        """Wait until it is woken, or the time is over."""
        self._gate.acquire(timeout=max(seconds, 0.0))

    def hear(self, entry: RecordedEvent) -> None:
        """Take in what is new, where it is what was waited for."""
        if entry.position > self.news.after and self.news.concerns(entry):
            self.come = True


class Follower:
    """Reads what comes; safe to share between threads.

    `connect` makes a connection, and `check` raises where it is to be made anew. `begin` gives the place to go on
    from, which is the end where none is given, and `read` the next events after a place, so many at most, and the place
    behind them; both raise `PositionAhead` where the ledger does not have what is known of that place.
    """

    def __init__(
        self,
        connect: Callable[[], Bounded],
        check: Callable[[Bounded], None],
        begin: Callable[[Connection[DictRow], int | None], Cursor],
        read: Callable[[Connection[DictRow], Cursor, int], tuple[list[RecordedEvent], Cursor]],
        page_size: int,
    ) -> None:
        self._connect = connect
        self._check = check
        self._begin = begin
        self._read = read
        self._page_size = page_size
        self._recent: _Recent | None = None
        self.connections = 0  # that were made, so that each reader can prove its place on each
        self.begin_anew()
        forks.register(self)

    def begin_anew(self) -> None:
        """Have no connection and nobody who waits; what was read holds in a child too."""
        self._changed = threading.Lock()  # over who waits, who leads, and what is kept
        self._asking = threading.Lock()  # over the connection
        self._looking = threading.Lock()
        self._connection: Bounded | None = None
        self._waiting: dict[_Waiter, None] = {}
        self._of_job: dict[str, dict[_Waiter, None]] = {}
        self._of_any: dict[_Waiter, None] = {}
        self._leader: _Waiter | None = None
        self._look_at = 0.0
        self._away: DatabaseAway | None = None
        self._outage = Outage("Following", self._place)

    def _place(self) -> str:
        return "the end" if self._recent is None else f"position {self._recent.reached:,}"

    def close(self) -> None:
        """Let the connection go; who still waits makes another."""
        with self._asking:
            self._disconnect()

    # --- Reading

    def page(self, after: int | None, proven: int | None) -> Page:
        """The next events after a place (the end, where none is given), from what is kept, or else read for this one.

        A place that was not `proven` on the connection that there is, is proven first. Raises `DatabaseAway` and
        `PositionAhead`.
        """
        self._look_where_due()
        recent = self._recent
        if (
            isinstance(after, Cursor)
            and proven == self.connections
            and recent
            and recent.began <= after <= recent.reached
        ):
            entries = recent.after(after)[: self._page_size]
            return Page(entries, _place(entries[-1]) if entries else after, proven)
        with self._asked() as connection:
            if not isinstance(after, Cursor) or proven != self.connections:
                after = self._begin(connection, after)
            return Page(*self._read(connection, after, self._page_size), self.connections)

    # --- Waiting

    @property
    def reached(self) -> int:
        """Up to which position news were told; before any where none was looked for."""
        return -1 if self._recent is None else self._recent.reached

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Whose turn it is to look at a view: one at a time of all who wait, so that a thousand use one connection.

        Who does not get it in its own time looks all the same.
        """
        looking = self._looking
        took = looking.acquire(timeout=max(clock.seconds_left(threading.TIMEOUT_MAX), LOOK_SECONDS))
        try:
            yield
        finally:
            if took:
                looking.release()

    def again_seconds(self, least: float, *, answered: bool) -> float:
        """After how long one who waits may look again though nothing is new: the longer, the more there are.

        Who was not `answered` is woken where that is because the database is away, once it is back.
        """
        return max(least, len(self._waiting) / LOOKS_A_SECOND) if answered or self._away else least

    def rest(self, news: News, seconds: float) -> None:
        """Wait until there is news, or it had better be looked for, but no longer than so many seconds.

        Of those who rest one looks for all. Raises `PositionAhead` where the ledger has gone back for good.
        """
        until = clock.monotonic() + seconds
        with self._registered(news) as waiter:
            while not (waiter.come or waiter.error):
                now = clock.monotonic()
                if now >= until:
                    return
                if self._may_lead(waiter):
                    self._lead(waiter, until)
                else:
                    waiter.wait(min(until - now, WAIT_SECONDS_MAX))
            if waiter.error is not None:
                raise waiter.error
            if waiter.doubtful:  # as many may be at once, and again in a moment
                waiter.wait(min(until - clock.monotonic(), LOOK_SECONDS))

    @contextmanager
    def _registered(self, news: News) -> Iterator[_Waiter]:
        waiter = _Waiter(news)
        try:
            with self._changed:
                self._waiting[waiter] = None
                for of in self._places(news):
                    of[waiter] = None
                self._look_back(waiter)
            yield waiter
        finally:
            with self._changed:
                self._waiting.pop(waiter, None)
                for of in self._places(news):
                    of.pop(waiter, None)
                for job in news.jobs or ():
                    if not self._of_job.get(job, True):
                        del self._of_job[job]
                if self._leader is waiter:
                    self._leader = next(iter(self._waiting), None)
                    if self._leader is not None:
                        self._leader.wake()

    def _places(self, news: News) -> list[dict[_Waiter, None]]:
        if news.jobs is None:
            return [self._of_any]
        return [self._of_job.setdefault(job, {}) for job in news.jobs]

    def _look_back(self, waiter: _Waiter) -> None:
        """Let it hear what has come since it looked; where that is not kept, it had better look again."""
        recent = self._recent
        if recent is None:
            return
        if waiter.news.after < recent.began:
            waiter.come = waiter.doubtful = True
            return
        for entry in recent.after(waiter.news.after):
            if waiter.news.jobs is None or entry.event.job in waiter.news.jobs:
                waiter.hear(entry)

    def _may_lead(self, waiter: _Waiter) -> bool:
        with self._changed:
            if self._leader is None:
                self._leader = waiter
            return self._leader is waiter

    def _lead(self, waiter: _Waiter, until: float) -> None:
        """Wait until it is time to look, and look; or until it is woken."""
        pause = min(self._look_at, until) - clock.monotonic()
        if pause > 0:
            waiter.wait(pause)
        self._look_where_due()

    # --- Looking

    def _look_where_due(self) -> None:
        """Look for all, where that is due and nobody does just now."""
        if clock.monotonic() < self._look_at or self._asking.locked():
            return
        with suppress(DatabaseAway), self._asked():  # which is told
            pass

    @contextmanager
    def _asked(self) -> Iterator[Bounded]:
        """The connection, for one at a time, who first looks for all where that is due."""
        if not self._asking.acquire(timeout=clock.seconds_left(threading.TIMEOUT_MAX)):
            raise DatabaseAway("The database did not answer in the time that there was.")
        asking, stands = self._asking, True
        try:
            self._check_not_away()
            with in_our_words:
                connection = self._connected()
                stands = self._look_for_all(connection)
                yield connection
        except DatabaseAway as error:
            self._disconnect()
            self._tell_away(error)
            raise
        except PositionAhead:  # of the place of who asked
            raise
        except BaseException:
            self._disconnect()
            raise
        finally:
            # Where it does not stand, another server may know more.
            if not stands or (self._connection is not None and self._connection.had_its_turn):
                self._disconnect()
            asking.release()

    def _check_not_away(self) -> None:
        """Raise what the last look met, until it is time for another."""
        if self._away is not None and clock.monotonic() < self._look_at:
            raise DatabaseAway(str(self._away), **self._away.facts)

    def _connected(self) -> Bounded:
        if self._connection is not None:
            try:
                self._check(self._connection)
            except psycopg.Error:  # the server has let it go
                self._disconnect()
        if self._connection is None:
            self._connection = self._connect()
            self.connections += 1
            if self._outage.began is None or self._away is not None:
                self._look_at = 0.0  # which proves what was read over another
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _look_for_all(self, connection: Bounded) -> bool:
        """Look where that is due; false where the ledger has gone back behind what was read here."""
        if clock.monotonic() < self._look_at:
            return True
        try:
            self._look(connection)
        except PositionAhead as error:
            self._doubt(error)
            return False
        return True

    def _look(self, connection: Bounded) -> None:
        recent = self._recent
        if recent is None:
            end = self._begin(connection, None)
            self._over()
            self._begin_at(end)
            return
        page, reached = self._read(connection, recent.reached, self._page_size)
        if reached.event_id is None:  # else the read has proven it
            self._begin(connection, reached)
        self._over()
        full = len(page) == self._page_size
        if full and (end := self._begin(connection, None)) - recent.reached > KEPT_EVENTS_MAX:
            self._begin_at(end)  # who waits had better look, and who reads does so for itself
            return
        if page:
            self._tell(page, recent.with_page(page, reached))
        self._look_at = clock.monotonic() + (0.0 if full else LOOK_SECONDS)

    def _tell(self, page: list[RecordedEvent], recent: _Recent) -> None:
        """Wake those whom news concern, and keep them; in this order, so that what is interrupted is done again."""
        with self._changed:
            for entry in page:
                for waiter in [*self._of_any, *self._of_job.get(entry.event.job, ())]:
                    waiter.hear(entry)
                    if waiter.come:
                        waiter.wake()
            self._recent = recent

    def _begin_at(self, place: Cursor) -> None:
        """Go on from another position; who waits for something after an earlier one had better look again."""
        with self._changed:
            self._recent = _Recent(place, place, [])
            self._look_at = clock.monotonic() + LOOK_SECONDS
            for waiter in self._waiting:
                self._look_back(waiter)
                waiter.wake()

    # --- Outages

    def _tell_away(self, error: DatabaseAway) -> None:
        now = clock.monotonic()
        if not clock.seconds_left(1):  # it is the time of who asked that was over
            self._look_at = now + LOOK_SECONDS
            return
        if self._away is None or now >= self._look_at:
            self._away = error
            self._outage.away(error)
            self._look_at = now + self._outage.pause

    def _doubt(self, error: PositionAhead) -> None:
        """The database knows less than was seen: a stale primary, for a moment; else it has gone back."""
        try:
            self._outage.stale(error)
            self._look_at = clock.monotonic() + self._outage.pause
        except PositionAhead:
            with self._changed:
                self._recent = None
                for waiter in self._waiting:
                    waiter.error = error
                    waiter.wake()
            self._outage = Outage("Following", self._place)

    def _over(self) -> None:
        """Where the database was away, it is back: who asked it meanwhile and was not answered had better ask again."""
        if self._away is None and self._outage.began is None:
            return
        self._away = None
        self._outage.over()
        with self._changed:
            for waiter in self._waiting:
                waiter.come = True
                waiter.wake()


def _place(entry: RecordedEvent) -> Cursor:
    return Cursor(entry.position, entry.event.id or None)  # a row that is no event may have none


def _size(entry: RecordedEvent) -> int:
    return len(entry.event.fact.text)
