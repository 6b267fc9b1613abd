"""Waiting for what is to come: looking again at whatever concerns the one who waits, each time that the feed has news.

It goes on over restarts and failovers of the database, and ends in time whatever the network does.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf
from typing import TypeVar

from ledger import clock
from ledger.answers import JobView, Queries
from ledger.domain.damage import stream_damaged
from ledger.domain.events import RecordedEvent
from ledger.domain.numbers import asked_seconds
from ledger.domain.states import Flag
from ledger.errors import DatabaseAway, NotFound, WaitTimedOut
from ledger.store.feed import Feed
from ledger.store.outage import Outage

T = TypeVar("T")


def watch(feed: Feed, queries: Queries, after: int | None, job: str | None) -> Iterator[RecordedEvent]:
    """Every event after a position (the end, where none is given), as it comes; of one job until that is closed.

    Raises `StreamDamaged` where it never will be.
    """
    reached: int = feed.end() if after is None else after
    view: JobView | None = None
    for entry in feed.follow(reached, seen=after is None):
        reached = entry.position if entry else reached
        if entry is not None and (job is None or entry.event.job == job):
            yield entry
        if job is None or (entry is not None and entry.event.job != job):
            continue
        with suppress(DatabaseAway):  # asked again where there is nothing new for a while
            view = view if view and view.position > reached else queries.job(job)
        if view and view.position <= reached:
            if view.done:
                return
            check_whole(view)


def check_whole(view: JobView) -> None:
    """Raise `StreamDamaged` where nothing more can be recorded of a job, so that nobody waits for it to close."""
    if Flag.DAMAGED in view.flags:
        raise stream_damaged("job", view.job, "one of its rows is no event")


def wait(
    feed: Feed,
    look: Callable[[], T | None],
    concerns: Callable[[RecordedEvent], bool],
    timeout: float | None,
    what: str,
) -> T:
    """What `look` finds, asked again after every event that concerns it; raises `WaitTimedOut`.

    A timeout below 0, of who counted down to a moment that has passed, is one of 0. Raises `NotFinite` and
    `NumberOutOfRange` for any other that is none.
    """
    if timeout is not None:
        timeout = asked_seconds("A time to wait", 0.0 if _is_over(timeout) else timeout)
    deadline = None if timeout is None else clock.monotonic() + timeout
    look = _on_and_on(look, deadline, what)
    found = look()
    if found is not None:
        return found
    for entry in feed.follow(None, timeout):
        found = look() if entry is None or concerns(entry) else None
        if found is not None:
            return found
        if deadline is not None and clock.monotonic() >= deadline:
            break
    raise WaitTimedOut(f"Waited {timeout:g} seconds for {what}.", seconds=timeout)


def _on_and_on(look: Callable[[], T | None], deadline: float | None, what: str) -> Callable[[], T | None]:
    """The same look, which finds nothing while the database is away, of which the feed tells."""
    outage = Outage(f"The wait for {what}", lambda: "where it was")
    looked = False

    def look_again() -> T | None:
        nonlocal looked
        try:
            with clock.until(deadline):
                found = look()
        except DatabaseAway:
            return None
        except NotFound as error:
            if not looked:
                raise
            outage.stale(error)
            return None
        looked = True
        outage.over()
        return found

    return look_again


def _is_over(timeout: object) -> bool:
    return isinstance(timeout, int | float) and -inf < timeout < 0
