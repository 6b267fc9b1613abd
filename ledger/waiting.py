"""Waiting for what is to come: woken by the feed, and looking again at whatever concerns the one who waits."""

from collections.abc import Callable, Iterator
from math import isnan
from typing import TypeVar

from ledger import clock
from ledger.answers import JobView, Queries
from ledger.domain.damage import stream_damaged
from ledger.domain.events import RecordedEvent
from ledger.domain.states import Flag
from ledger.errors import NotFinite, WaitTimedOut
from ledger.store.feed import Feed

T = TypeVar("T")


def watch(feed: Feed, queries: Queries, after: int | None, job: str | None) -> Iterator[RecordedEvent]:
    """Every event after a position (the end, where none is given), as it comes; of one job until that is closed.

    Raises `StreamDamaged` where it never will be.
    """
    reached = feed.head() if after is None else after
    view: JobView | None = None
    for entry in feed.follow(reached):
        reached = entry.position if entry else reached
        if entry is not None and (job is None or entry.event.job == job):
            yield entry
        if job is None or (entry is not None and entry.event.job != job):
            continue
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
    """What `look` finds, asked again after every event that concerns it; raises `WaitTimedOut` and `NotFinite`."""
    if timeout is not None and isnan(timeout):
        raise NotFinite("A time to wait must be a number of seconds, and this is NaN.")
    deadline = None if timeout is None else clock.monotonic() + timeout
    head = feed.head()
    found = look()
    if found is not None:
        return found
    for entry in feed.follow(head, timeout):
        found = look() if entry is None or concerns(entry) else None
        if found is not None:
            return found
        if deadline is not None and clock.monotonic() >= deadline:
            break
    raise WaitTimedOut(f"Waited {timeout:g} seconds for {what}.", seconds=timeout)
