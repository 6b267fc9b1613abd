"""What counts as saying the same thing twice.

Content is the fact with the executor's own word, and with the time where the time is part of what is said. It leaves
out actor, reason and trace, and owner and epoch save where they are what is said.

Every command may be said again, by whoever did not hear the answer; then nothing is recorded, and the answer is
`unchanged`. Whether something was said before is decided in this order:

1. by id: the same id and the same content is the same; the same id with another content is an error (`under`);
2. by content, where no id was given or that id is not known: the same content in the same stream is the same
   (`version_of`), be it that a refused plan, a late report or a resolution quotes it;
3. else it is new.

A fact that is `timed` (progress, contact, holds) is the same only with the same time: 40 % may be told twice. What a
stream has told is digested when somebody asks, for most is never told again; a stream of more than 16 events is not
read for it, but asked for events that have the same `Mark`.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from ledger.domain.commands import Plan, Transition, parse_transition, planned
from ledger.domain.events import Adopted, Closing, Event, Fact, Late, OwnerFenced, OwnerStarted, Refused, Resolved
from ledger.domain.facts import named
from ledger.domain.values import print_time
from ledger.errors import LedgerError, MalformedRecord

DERIVED = "~"  # begins the ids that no caller may give
SHORT_EVENTS_MAX = 16  # of a stream that is read whole; of a longer one so many are remembered

# By type, since isinstance is slow for the classes of pydantic.
_OWNED = frozenset({Closing, Adopted, OwnerStarted, OwnerFenced})
_NOT_IN_OWNED = named(
    "planned refused submitted accepted started progressed suspended resumed cancel_requested attached detached "
    "contact_lost contact_regained succeeded failed cancelled abandoned lost resolved disputed late hold_placed "
    "hold_lifted expired break_accepted loss_accepted"
)
_QUOTING: Mapping[type[Fact], str] = {Refused: "plan", Late: "report", Resolved: "report"}  # in this field
_NOT_IN_QUOTING = named(
    "planned submitted accepted started progressed suspended resumed cancel_requested attached detached contact_lost "
    "contact_regained closing adopted succeeded failed cancelled abandoned lost disputed hold_placed hold_lifted "
    "expired owner_started owner_fenced break_accepted loss_accepted"
)


def digest(fact: Fact, raw: str | None, at: datetime | None, owner: str | None, epoch: int | None) -> bytes:
    """16 bytes that are the same for the same content and, but for chance, for no other; `at` counts where it must."""
    said = fact.content
    if type(fact) in _OWNED:
        said += json.dumps([owner, epoch]).encode()
    if raw is not None or (fact.timed and at is not None):
        said += json.dumps([raw, print_time(at) if fact.timed and at is not None else None]).encode()
    return hashlib.blake2b(said, digest_size=16).digest()


def quoted_in(fact: Fact, job: str) -> Transition | None:
    """What was said, where a fact took it in another form: the plan that was refused, the report that came late.

    Raises `BadInput` where nobody could have said that.
    """
    field = _QUOTING.get(type(fact))
    quoted = getattr(fact, field) if field else None
    if quoted is None:
        return None
    if field == "plan":
        return _parse(quoted | {"job": job, "event": "planned"})
    said = _parse(quoted | {"job": job})
    if type(said.fact) in _NO_REPORTS:
        raise MalformedRecord(f"A report must say what became of a job, and {said.fact.name} does not.")
    return said


_NO_REPORTS = frozenset({Plan, Late, Refused})
_NOT_IN_NO_REPORTS = named(
    "submitted accepted started progressed suspended resumed cancel_requested attached detached contact_lost "
    "contact_regained closing adopted succeeded failed cancelled abandoned lost resolved disputed hold_placed "
    "hold_lifted expired"
)


def _parse(record: dict[str, object]) -> Transition:
    return parse_transition(record, _no_id)


def _no_id() -> str:
    raise MalformedRecord("A plan that was refused must name its children.")


def _digest_of(said: Transition, at: datetime | None) -> bytes:
    fact = planned(said.fact, said.job, 1, said.fact.parent) if isinstance(said.fact, Plan) else said.fact
    return digest(fact, said.raw, at, said.owner, said.epoch)


class Mark(NamedTuple):
    """What an event of a long stream is looked for by: the same for the same id or content, and seldom for another.

    `sign` is 4 bytes of the id or of the digest, `at` the time where that counts. Without a sign it stands for
    whatever was said of that time or a later one.
    """

    sign: bytes
    at: datetime | None = None


SIGN_BYTES = 4


def mark_of_id(said_id: str) -> Mark:
    """What an event is looked for by under its id."""
    return Mark(hashlib.blake2b(said_id.encode(), digest_size=SIGN_BYTES).digest())


def _mark_of(fact: Fact, content: bytes, at: datetime | None) -> Mark:
    return Mark(content[:SIGN_BYTES], at if fact.timed else None)


def marks(event: Event) -> Iterator[Mark]:
    """All that an event is looked for by: its id, if a caller may have given it, its content, the report it took."""
    if not event.id.startswith(DERIVED):
        yield mark_of_id(event.id)
    content = digest(event.fact, event.raw, event.occurred_at, event.owner, event.epoch)
    yield _mark_of(event.fact, content, event.occurred_at)
    if _QUOTING.get(type(event.fact)) == "report":
        with suppress(LedgerError):  # what nobody could have said nobody says again
            said = quoted_in(event.fact, event.job)
            if said is not None:
                yield _mark_of(said.fact, _digest_of(said, said.at), said.at)


def sought_by(said: Transition, latest: datetime | None, now: datetime) -> Iterator[Mark]:
    """What a decision about a report will look for in a stream that has told nothing of later than `latest`.

    Where that is not known and the report has no time of its own, it is whatever is of now or later.
    """
    fact, at = said.fact, said.at
    if said.id is not None and not said.id.startswith(DERIVED):
        yield mark_of_id(said.id)
    if fact.timed and at is None:
        if latest is None:
            yield Mark(b"", now)
    elif not isinstance(fact, Plan) and not (fact.timed and latest is not None and at is not None and at > latest):
        yield _mark_of(fact, digest(fact, said.raw, at, said.owner, said.epoch), at)


class Telling(NamedTuple):
    """Under which version and when something was told, and what its id stands for: contents without their times."""

    version: int
    at: datetime
    contents: tuple[bytes, ...]


FRESH_MAX = 16
FRESH_BYTES_MAX = 1_024
Speaker = tuple[str | None, int | None]  # of an owner
Seek = Callable[[Mark], Iterable[Event]]


class Told:
    """What one stream has told so far; it grows with what it takes note of.

    What a job tells once it seldom tells again: contents are digested only once something of their kind is asked about.
    """

    __slots__ = ("_fresh", "_heard")

    def __init__(self) -> None:
        self._fresh: list[Event] = []
        self._heard: Heard | None = None

    def note(self, event: Event) -> None:
        """Remember an event, and what was said where the event quotes it."""
        self._fresh.append(event)
        fact = event.fact
        if len(self._fresh) > FRESH_MAX or type(fact) in _QUOTING or len(fact.text) > FRESH_BYTES_MAX:
            self._hear()

    def under(self, said_id: str | None) -> Telling | None:
        """What was told under an id."""
        if said_id in [event.id for event in self._fresh]:
            self._hear()
        return self._heard.by_id.get(said_id or "") if self._heard else None

    def version_of(self, fact: Fact, raw: str | None, at: datetime | None, by: Speaker) -> int | None:
        """The version under which this content was told; None where it was not."""
        heard = self.heard_of(fact)
        return heard.by_content.get(digest(fact, raw, at, *by)) if heard else None

    def heard_of(self, fact: Fact) -> "Heard | None":
        """What was told, where something of this kind was."""
        if fact.name in [event.fact.name for event in self._fresh]:
            self._hear()
        return self._heard if self._heard is not None and fact.name in self._heard.names else None

    def late_version_of(self, fact: Fact, raw: str | None, at: datetime | None, by: Speaker) -> int | None:
        """The version under which this content was kept as a report that came too late; None where it was not."""
        return self._heard.lates.get(digest(fact, raw, at, *by)) if self._heard and self._heard.lates else None

    def _hear(self) -> None:
        self._heard = self._heard or Heard()
        for event in self._fresh:
            self._heard.take(event)
        self._fresh.clear()


class LongTold(Told):
    """What a long stream has told: the beginning and what it tells now are remembered, the rest is looked for.

    `seek` finds the events beyond the beginning that have a mark; None where there are none yet.
    """

    __slots__ = ("_first", "_found", "_seek", "_sought")

    def __init__(self, first: Told, seek: Seek | None) -> None:
        super().__init__()
        self._first = first
        self._seek = seek
        self._sought: set[Mark] = set()
        self._found = Heard()

    def under(self, said_id: str | None) -> Telling | None:
        """What was told under an id."""
        told = self._first.under(said_id) or super().under(said_id)
        if told is not None or said_id is None or said_id.startswith(DERIVED):
            return told
        return self._look_for(mark_of_id(said_id)).by_id.get(said_id)

    def version_of(self, fact: Fact, raw: str | None, at: datetime | None, by: Speaker) -> int | None:
        """The version under which this content was told; None where it was not."""
        content = digest(fact, raw, at, *by)
        for told in (self._first, self):
            heard = told.heard_of(fact)
            if heard and content in heard.by_content:
                return heard.by_content[content]
        return self._look_for(_mark_of(fact, content, at)).by_content.get(content)

    def late_version_of(self, fact: Fact, raw: str | None, at: datetime | None, by: Speaker) -> int | None:
        """The version under which this content was kept as a report that came too late; None where it was not."""
        version = self._first.late_version_of(fact, raw, at, by)
        if version is None:
            version = super().late_version_of(fact, raw, at, by)
        if version is not None:
            return version
        content = digest(fact, raw, at, *by)
        return self._look_for(_mark_of(fact, content, at)).lates.get(content)

    def _look_for(self, mark: Mark) -> "Heard":
        """What was found, now that this mark is looked for, too."""
        if self._seek is not None and mark not in self._sought:
            self._sought.add(mark)
            for event in self._seek(mark):
                self._found.take(event)
        return self._found


class Heard:
    """What was told, by content and by id."""

    __slots__ = ("by_content", "by_id", "lates", "names")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.by_content: dict[bytes, int] = {}
        self.by_id: dict[str, Telling] = {}
        self.lates: dict[bytes, int] = {}

    def take(self, event: Event) -> None:
        """Remember an event."""
        fact = event.fact
        content = digest(fact, event.raw, event.occurred_at, event.owner, event.epoch)
        self.names.add(fact.name)
        self.by_content.setdefault(content, event.version)
        contents = [digest(fact, event.raw, None, event.owner, event.epoch) if fact.timed else content]
        said = quoted_in(fact, event.job)
        if said is not None:
            contents.append(self._take_quoted(said, event))
        self.by_id[event.id] = Telling(event.version, event.occurred_at, tuple(contents))

    def _take_quoted(self, said: Transition, event: Event) -> bytes:
        if isinstance(event.fact, Refused):
            return _digest_of(said._replace(raw=event.raw), None)
        if isinstance(event.fact, Late):
            self.lates.setdefault(_digest_of(said, said.at), event.version)
        elif isinstance(event.fact, Resolved):
            self.names.add(said.fact.name)
            self.by_content.setdefault(_digest_of(said, said.at), event.version)
        return _digest_of(said, None)
