"""Streams as an append leaves them, kept for the next one."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ledger.domain.content import SHORT_EVENTS_MAX, Told
from ledger.domain.events import Damaged, Event
from ledger.domain.itself import Itself, evolve_itself
from ledger.domain.job import Job, evolve
from ledger.domain.owner import Owner, evolve_owner

JOB, OWNER, LEDGER = "job", "owner", "ledger"  # what a stream is of, with which its name begins
SHELF_STREAMS_MAX = 2_048
LIGHT_BYTES_MAX = 4 * 1_024  # streams with larger events are read again, so that the shelf stays small
EVER = datetime.min.replace(tzinfo=UTC)  # before any event


@dataclass(slots=True)
class Stream:
    """A stream folded: the state of its job or owner, what it told first, and what the views keep of it.

    `stored` is the version on record when the append began. No event is of a later time than `latest`; None where it
    is not known whether one is. Nothing more is recorded in one that is `damaged`; `lasting` says that it is no closed
    job, which is seldom spoken of again.
    """

    kind: str
    state: Job | Owner | Itself | None = None
    told: Told = field(default_factory=Told)
    version: int = 0
    damaged: bool = False
    lasting: bool = False
    viewed: Any = None
    light: bool = True
    stored: int = 0
    latest: datetime | None = EVER

    def fold(self, event: Event) -> None:
        """Take in the next event, all but what the views keep."""
        self.evolve(event)
        if not self.damaged:  # else nothing more will be recorded here, so nothing is asked of it
            self.note(event)

    def evolve(self, event: Event) -> None:
        """Take in what the next event makes of the state."""
        if self.kind == JOB:
            job = evolve(self.state if isinstance(self.state, Job) else None, event)
            self.state, self.damaged, self.lasting = job, job.damaged is not None, job.active
        elif self.kind == OWNER:
            owner = evolve_owner(self.state if isinstance(self.state, Owner) else Owner(event.job), event)
            self.state, self.damaged, self.lasting = owner, owner.damaged is not None, True
        else:
            self.state = evolve_itself(self.state if isinstance(self.state, Itself) else Itself(event.job), event)
            self.lasting = True
        self.version = event.version

    def recall(self, state: Job | Owner, viewed: Any, size: int) -> None:
        """Take a later state of it, and what the views keep then, for its events; `size` is that of what they keep."""
        self.state, self.version, self.damaged = state, state.version, state.damaged is not None
        self.lasting = state.active if isinstance(state, Job) else True
        self.viewed = viewed
        self.light = self.light and size <= LIGHT_BYTES_MAX

    def note(self, event: Event) -> None:
        """Remember the next event, if it is one of the first, and is one."""
        if type(event.fact) is Damaged:
            return
        if event.version <= SHORT_EVENTS_MAX:
            self.told.note(event)
        self.light = self.light and len(event.fact.text) <= LIGHT_BYTES_MAX
        if self.latest is not None and event.occurred_at > self.latest:
            self.latest = event.occurred_at


class Streams(dict[str, Stream]):
    """The streams that one append has read or decided something of, by their names; `read` counts what was read."""

    read = 0

    def job(self, job: str) -> Job | None:
        """The state of a job, or None where nothing is known of it here."""
        stream = self.get(f"job:{job}")
        return stream.state if stream and isinstance(stream.state, Job) else None

    def jobs(self) -> Iterator[Job]:
        """The states of all jobs."""
        return (stream.state for stream in self.values() if isinstance(stream.state, Job))


class Shelf:
    """Folded streams kept from one append to the next, the least used dropped first."""

    def __init__(self) -> None:
        self._streams: OrderedDict[str, Stream] = OrderedDict()

    def take(self, name: str) -> Stream:
        """The stream as it was left, or one of which nothing is known."""
        return self._streams.pop(name, None) or Stream(name.partition(":")[0])

    def put(self, name: str, stream: Stream) -> None:
        """Keep a stream as an append has committed it."""
        self._streams[name] = stream
        if len(self._streams) > SHELF_STREAMS_MAX:
            self._streams.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, where it is not sure that the database still agrees."""
        self._streams.clear()
