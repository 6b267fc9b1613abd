"""Waiting for what is to come: looking again at whatever somebody waits for, each time that there is news of it.

It goes on over restarts and failovers of the database, and ends in time whatever the network does.
"""

from collections.abc import Callable, Collection, Iterator
from math import inf
from typing import Generic, NamedTuple, TypeVar

from ledger import clock
from ledger.asking.answers import JobView, Queries
from ledger.domain.damage import stream_damaged
from ledger.domain.events import Progressed, RecordedEvent
from ledger.domain.numbers import asked_seconds
from ledger.domain.states import Flag
from ledger.errors import DatabaseAway, NotFound, PoolExhausted, PositionAhead, StreamDamaged, WaitTimedOut
from ledger.store.feed import Feed
from ledger.store.follower import News
from ledger.store.outage import Outage

T = TypeVar("T")


def watch(feed: Feed, queries: Queries, after: int | None, job: str | None) -> Iterator[RecordedEvent]:
    """Every event after a position (the end, where none is given), as it comes; of one job until that is closed.

    Raises `StreamDamaged` where it never will be.
    """
    reached: int = feed.end() if after is None else after
    view: JobView | None = None
    last = 0  # the position of the last event of that job
    outage = Outage(f"The watch of job {job}", lambda: f"position {reached:,}")
    for entry in feed.follow(reached, seen=after is None):
        reached = entry.position if entry else reached
        mine = entry is not None and (job is None or entry.event.job == job)
        if entry is not None and mine:
            last = entry.position
            yield entry
        if job is None or (entry is not None and not mine):
            continue
        try:  # asked again where there is nothing new for a while
            view = view if view and view.position >= last else queries.job(job)
            if view and last <= view.position <= reached and (view.done or Flag.DAMAGED in view.flags):
                feed.end()  # which proves that this is the ledger that was watched
                if view.done:
                    return
                check_whole(view)
            outage.over()
        except DatabaseAway:
            continue
        except PositionAhead as error:
            view = None
            outage.stale(error)


def check_whole(view: JobView) -> None:
    """Raise `StreamDamaged` where nothing more can be recorded of a job, so that nobody waits for it to close."""
    if Flag.DAMAGED in view.flags:
        raise stream_damaged("job", view.job, "one of its rows is no event")


class Looked(NamedTuple, Generic[T]):
    """What a look has found, if anything, and the jobs whose events may change that."""

    found: T | None
    jobs: Collection[str]


def wait(feed: Feed, look: Callable[[], Looked[T]], timeout: float | None, what: str) -> T:
    """What `look` finds, asked again after news of the jobs that it names; raises `WaitTimedOut`.

    It is asked again, too, where nothing is new for a second, or longer where many wait: a primary that was deposed
    answers for a moment. A timeout below 0, of who counted down to a moment that has passed, is one of 0. Raises
    `NotFinite` and `NumberOutOfRange` for any other that is none.
    """
    if timeout is not None:
        timeout = asked_seconds("A time to wait", 0.0 if _is_over(timeout) else timeout)
    deadline = None if timeout is None else clock.monotonic() + timeout
    look_again = _on_and_on(feed, look, deadline, what)
    while True:
        reached = feed.reached  # nothing up to there is missed by a look that comes after
        looked = look_again()
        if looked is not None and looked.found is not None:
            return looked.found
        if deadline is not None and clock.monotonic() >= deadline:
            raise WaitTimedOut(f"Waited {timeout:g} seconds for {what}.", seconds=timeout)
        feed.rest(News(reached, looked.jobs, _says_more) if looked else None, deadline)


def _says_more(entry: RecordedEvent) -> bool:
    """Whether an event may be an end; how far a job has come is none."""
    return type(entry.event.fact) is not Progressed


def _on_and_on(
    feed: Feed, look: Callable[[], Looked[T]], deadline: float | None, what: str
) -> Callable[[], Looked[T] | None]:
    """The same look, which gives nothing while the database is away, of which the feed tells, or knows too little."""
    outage = Outage(f"The wait for {what}", lambda: "where it was")
    looked = False

    def look_again() -> Looked[T] | None:
        nonlocal looked
        try:
            with clock.until(deadline), feed.follower.turn():
                answer = _proved(feed, look, first=not looked)
        except (DatabaseAway, PoolExhausted):
            return None
        except (NotFound, PositionAhead) as error:
            if not looked:
                raise
            outage.stale(error)
            return None
        looked = True
        outage.over()
        return answer

    return look_again


def _proved(feed: Feed, look: Callable[[], Looked[T]], *, first: bool) -> Looked[T]:
    """What a look finds, of a ledger that has all that this process knows; the first look is remembered with it.

    A ledger that went back has no word of what held a thing, nor of a job that was lost, and would end every wait.
    """
    try:
        answer = look()
    except (NotFound, StreamDamaged):
        feed.end()
        raise
    if first or answer.found is not None:
        feed.end()
    return answer


def _is_over(timeout: object) -> bool:
    return isinstance(timeout, int | float) and -inf < timeout < 0
