"""Streams as an append leaves them, kept for the next one."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.domain.content import SHORT_EVENTS_MAX, Told
from ledger.domain.events import Damaged, Event
from ledger.domain.itself import Itself, evolve_itself
from ledger.domain.job import Job, evolve
from ledger.domain.owner import Owner, evolve_owner

SHELF_STREAMS_MAX = 2_048
LIGHT_BYTES_MAX = 4 * 1_024  # streams with larger events are read again, so that the shelf stays small
EVER = datetime.min.replace(tzinfo=UTC)  # before any event


@dataclass(slots=True)
class Stream:
    """A stream folded: the state of its job or owner, what it told first, and what the views keep of it.

    `stored` is the version on record when the append began. No event is of a later time than `latest`; None where it
    is not known whether one is.
    """

    state: Job | Owner | Itself | None
    told: Told
    viewed: Any = None
    light: bool = True
    stored: int = 0
    latest: datetime | None = EVER

    @property
    def version(self) -> int:
        """The version of the newest event that is folded in."""
        return self.state.version if self.state else 0

    def fold(self, event: Event) -> None:
        """Take in the next event, all but what the views keep."""
        self.evolve(event)
        if not self.damaged:  # else nothing more will be recorded here, so nothing is asked of it
            self.note(event)

    def evolve(self, event: Event) -> None:
        """Take in what the next event makes of the state."""
        if event.of_job:
            self.state = evolve(self.state if isinstance(self.state, Job) else None, event)
        elif event.stream.startswith("owner:"):
            self.state = evolve_owner(self.state if isinstance(self.state, Owner) else Owner(event.job), event)
        else:
            self.state = evolve_itself(self.state if isinstance(self.state, Itself) else Itself(event.job), event)

    @property
    def damaged(self) -> bool:
        """Whether one of its rows is no event, or stands out of turn."""
        return isinstance(self.state, Job | Owner) and self.state.damaged is not None

    def recall(self, state: Job | Owner, viewed: Any, size: int) -> None:
        """Take a later state of it, and what the views keep then, for its events; `size` is that of what they keep."""
        self.state, self.viewed = state, viewed
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


class Shelf:
    """Folded streams kept from one append to the next, the least used dropped first."""

    def __init__(self) -> None:
        self._streams: OrderedDict[str, Stream] = OrderedDict()

    def take(self, name: str) -> Stream | None:
        """The stream as it was left, or None."""
        return self._streams.pop(name, None)

    def put(self, name: str, stream: Stream) -> None:
        """Keep a stream as an append has committed it."""
        self._streams[name] = stream
        if len(self._streams) > SHELF_STREAMS_MAX:
            self._streams.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, where it is not sure that the database still agrees."""
        self._streams.clear()
