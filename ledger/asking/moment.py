"""The ledger as it stood at a moment: what it answered then, it answers again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from ledger.asking.answers import BusyAnswer, JobFilter, JobView, Recall, asked_access, asked_entity
from ledger.asking.difference import Diff, Fits, compare
from ledger.domain.cursor import asked_place
from ledger.domain.entities import EntityRef
from ledger.domain.events import RecordedEvent
from ledger.domain.moment import AsOf
from ledger.domain.numbers import asked_page
from ledger.domain.values import parse_time, print_time
from ledger.errors import JobNotFound

Prove = Callable[[int], None]  # raises where a cursor names an event that is not there


class Past:
    """The ledger as of `position`, at the time `at`: every answer is the one that the views gave then.

    What depends on the hour (elapsed time, whether a job is overdue) is told as of `at`: the time that was asked for,
    or the recorded time of the position that was. With `occurred`, answers are made of the events that had occurred by
    `at` as callers told it, whenever they were recorded up to `position`: each job's in the order in which they were
    told, and none before its plan.
    """

    def __init__(self, recall: Recall, as_of: AsOf, prove: Prove) -> None:
        self._recall = recall
        self._prove = prove
        self.as_of = as_of

    @property
    def position(self) -> int:
        """The last position that counts."""
        return self.as_of.position

    def reached(self) -> int:
        """The position up to which the answers are true: the same."""
        return self.as_of.position

    @property
    def at(self) -> datetime:
        """The time that it is then."""
        return self.as_of.at

    @property
    def occurred(self) -> bool:
        """Whether the time is that of the callers."""
        return self.as_of.occurred

    def job(self, job: str) -> JobView:
        """A job, expired or not; raises `JobNotFound` for one that was not on record."""
        view = self._recall.job(self.as_of, job)
        if view is None:
            raise self._missing(job)
        return view

    def tree(self, job: str) -> list[JobView]:
        """A job and all below it, parents first; raises `JobNotFound`."""
        jobs = self._recall.tree(self.as_of, job)
        if not jobs:
            raise self._missing(job)
        return jobs

    def busy(self, entity: str | EntityRef, *, would: str | None = None, besides: str | None = None) -> BusyAnswer:
        """The active jobs on one entity (`vm/web01`), oldest first; `would` and `besides` as for `busy_all`."""
        return self.busy_all([entity], would=would, besides=besides)[0]

    def busy_all(
        self, entities: Sequence[str | EntityRef], *, would: str | None = None, besides: str | None = None
    ) -> list[BusyAnswer]:
        """The active jobs on each of several entities; `would` and `besides` as for `Ledger.busy_all`.

        Raises `JobNotFound` for `besides`, and `ViewBehind` where nobody who may write the views has asked since.
        """
        access = asked_access(would) if would is not None else None
        answers = self._recall.busy(self.as_of, [asked_entity(entity) for entity in entities], access, besides)
        if answers is None:
            raise self._missing(str(besides))
        return answers

    def jobs(
        self, which: JobFilter | None = None, *, before: int | None = None, limit: int | None = None
    ) -> Iterator[JobView]:
        """The active jobs that fit, the last planned first; of those that were closed, `Ledger.jobs` tells."""
        asked_page(before, limit)
        return self._recall.active(self.as_of, replace(which or JobFilter(), active=True), before=before, limit=limit)

    def history(self, job: str, *, after: int = 0, limit: int | None = None) -> Sequence[RecordedEvent]:
        """The events of a job after a position that count, in order, `limit` at most; raises `JobNotFound`."""
        events = list(islice(self.events(after, job=job), limit))
        if not events and next(self.events(job=job), None) is None:
            raise self._missing(job)
        return events

    def events(self, after: int = 0, *, job: str) -> Iterator[RecordedEvent]:
        """The events of a job after a position that count, in order, read page by page."""
        after = asked_place("A position to read from", after)
        self._prove(after)
        return self._recall.history(self.as_of, job, after)

    def diff(self, later: "Past", fits: Fits = lambda _job: True) -> Diff:
        """What is different at a later moment of the ledger; `fits` says which jobs to tell of, as they are then."""
        return compare(self._recall, self.as_of, later.as_of, fits)

    def catch_up(self, tell: Callable[[int, int], None]) -> None:
        """Bring what entities and trees are asked of up to this moment now, rather than with the next question.

        `tell` hears position and goal on the way: the first time, and after a long import, it is a long one.
        """
        self._recall.catch_up(self.as_of, tell)

    def __str__(self) -> str:
        if self.occurred:
            return f"what had occurred by {print_time(self.at)}, as told up to position {self.position:,}"
        return "; ".join(filter(None, (f"position {self.position:,}, {print_time(self.at)}", self.ahead)))

    @property
    def ahead(self) -> str:
        """What is to be said of times where the last event is ahead of the clock; else nothing."""
        seconds = self.as_of.ahead_seconds
        if not seconds:
            return ""
        return f"the last event is {seconds:,.0f} s ahead of the clock, and until then events bear its time"

    def _missing(self, job: str) -> JobNotFound:
        return JobNotFound(f"No event speaks of job {job} as of {self}.", job=job, position=self.position)


def open_past(recall: Recall, moment: int | datetime | str, prove: Prove, *, occurred: bool = False) -> Past:
    """The ledger as of a position, or of a time: a datetime with a zone, or RFC 3339 text."""
    if isinstance(moment, int):
        moment = asked_place("A position", moment)
        prove(moment)
    else:
        moment = parse_time(moment)
    return Past(recall, recall.find(moment, occurred=occurred), prove)
