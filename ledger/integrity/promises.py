"""What the ledger promises of its own rows, held against them before they are sealed, and whenever they are verified.

Time never goes back, and is not ahead of the clock. A stream has a name that a stream may have, its versions follow one
another, its topics are the ledger's, its bytes are those of events, and each is one that the transition table allows
after those before it. The first promise that a row breaks is named. What a stream has come to is kept for the streams
that were seen last, and read again from the topics of its rows for others, so that memory has a bound.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from ledger.domain.damage import not_allowed
from ledger.domain.events import FACTS_BY_TOPIC, Break, BreakAccepted, Fact
from ledger.domain.states import BEGINNING, TRANSITIONS, Outcome, Phase
from ledger.errors import BadInput, IntegrityFailure
from ledger.integrity.leaf import StoredRow, microseconds, read_leaf
from ledger.store.glance import is_event
from ledger.store.mapper import check_name, read_event
from ledger.store.seals import Seals

AHEAD_MAX = timedelta(hours=1)  # of the clock: a clock that was set back is no break
STREAMS_KEPT_MAX = 65_536


class Breach(NamedTuple):
    """A row that breaks a promise: where it is, which promise, and how."""

    position: int
    stream: str
    promise: Break
    what: str

    def __str__(self) -> str:
        return f"Position {self.position:,} of {self.stream[:240]!r} breaks the promise of {self.promise}: {self.what}"


class StreamStanding(NamedTuple):
    """What a stream has come to: its version, and the phase of its job; `sound` while nothing in it was broken."""

    version: int = 0
    phase: Phase | None = None
    outcome: Outcome | None = None
    sound: bool = True

    def after(self, name: str, version: int) -> "StreamStanding":
        """The same after an event that may come next."""
        return StreamStanding(version, _phase(self.phase, name), Outcome.REFUSED if name == "refused" else None)


_BEGINNING, _SPOILT = StreamStanding(), StreamStanding(sound=False)


def _phase(phase: Phase | None, name: str) -> Phase | None:
    """The phase of a job after an event; None for what is no job."""
    if phase is not None and name != "planned":
        return TRANSITIONS[name][phase]
    return BEGINNING.get(name)


AcceptedBreaks = Mapping[int, Sequence[Break]]  # by position the promises that are broken there, as they were accepted


def accepted_breaks(seals: Seals) -> AcceptedBreaks:
    """What was accepted; a break cannot be accepted before it is there."""
    accepted: dict[int, list[Break]] = {}
    for entry in seals.stream(f"ledger:{seals.ledger()}"):
        fact = entry.event.fact
        if isinstance(fact, BreakAccepted) and fact.position < entry.position:
            accepted.setdefault(fact.position, []).append(fact.promise)
    return accepted


class Promises:
    """Holds the rows after a position against the promises, in order; what was `accepted` is passed over.

    Raises `SchemaTooNew` for a topic that only a newer release knows.
    """

    def __init__(self, seals: Seals, after: int, accepted: AcceptedBreaks) -> None:
        self._seals = seals
        self._accepted = accepted
        self._streams: OrderedDict[str, StreamStanding] = OrderedDict()
        self._latest = microseconds(seals.now() + AHEAD_MAX)
        self._time, self._excursion = self._resume(after)

    def _resume(self, after: int) -> tuple[int | None, int | None]:
        """The time of the last row up to a position, and that to which it had gone ahead of the clock, if it had."""
        last = self._row(after)
        times = (at for at, promises in self._accepted.items() if at <= after and Break.TIME in promises)
        begun = max(times, default=None)
        if last is None or begun is None:
            return last.recorded_at if last else None, None
        first, before = self._row(begun), self._row(begun - 1)
        if first is None or (before is not None and first.recorded_at <= before.recorded_at):
            return last.recorded_at, None
        still = last.recorded_at == first.recorded_at or last.recorded_at > self._latest
        return last.recorded_at, first.recorded_at if still else None

    def _row(self, upto: int) -> StoredRow | None:
        leaf = self._seals.last_leaf(upto)
        return read_leaf(leaf) if leaf is not None else None

    def check(self, leaves: Iterable[tuple[int, bytes]]) -> list[Breach]:
        """What the next rows break that was not accepted; an accepted one spoils what is said of its stream alone."""
        rows = [read_leaf(leaf) for _, leaf in leaves]
        self._know(rows)
        breaches = [breach for row in rows for breach in self._breaches(row) if not self._is_accepted(breach)]
        while len(self._streams) > STREAMS_KEPT_MAX:  # not before, for these rows may go on with any of them
            self._streams.popitem(last=False)
        return breaches

    def _know(self, rows: Sequence[StoredRow]) -> None:
        """Let every stream that these rows go on with be known."""
        first = {row.stream: row for row in reversed(rows)}
        wanted = [stream for stream, row in first.items() if stream not in self._streams and row.version != 1]
        if not wanted:
            return
        recalled: dict[str, StreamStanding] = {}
        for stream, position, version, topic in self._seals.recall(wanted, rows[0].position - 1):
            before = recalled.get(stream, _BEGINNING)
            recalled[stream] = self._recall(before, stream, (position, version, topic))
        for stream in wanted:
            self._keep(stream, recalled.get(stream, _BEGINNING))

    def _recall(self, before: StreamStanding, stream: str, row: tuple[int, int, str]) -> StreamStanding:
        position, version, topic = row
        fact = FACTS_BY_TOPIC.get(topic)
        spoilt = any(promise is not Break.TIME for promise in self._accepted.get(position, ()))
        if fact is None or spoilt or not before.sound or version != before.version + 1:
            return _SPOILT
        kind = stream.partition(":")[0]
        refused = kind == "job" and not_allowed(before.phase, before.outcome, fact.name)
        return _SPOILT if refused or fact.kind != kind else before.after(fact.name, version)

    def _keep(self, stream: str, standing: StreamStanding) -> None:
        self._streams[stream] = standing
        self._streams.move_to_end(stream)

    def _is_accepted(self, breach: Breach) -> bool:
        return breach.promise in self._accepted.get(breach.position, ())

    def _breaches(self, row: StoredRow) -> Iterable[Breach]:
        """The promises that a row breaks: that of time, and the first of the others."""
        late = self._check_time(row)
        fact, breach = self._read(row)
        before = self._streams.get(row.stream, _BEGINNING)
        if fact is not None:
            breach = self._check_place(row, fact, before)
        sound = before.sound and breach is None
        self._keep(row.stream, before.after(fact.name, row.version) if sound and fact is not None else _SPOILT)
        return filter(None, (late, breach))

    def _check_time(self, row: StoredRow) -> Breach | None:
        before, self._time = self._time, row.recorded_at
        if before is not None and row.recorded_at < before:
            excursion, self._excursion = self._excursion, None
            if excursion is not None and row.recorded_at < excursion:
                return None  # the end of one that was named where it began
            return _breach(row, Break.TIME, "its time must not lie before that of the row before it, and does.")
        if row.recorded_at > self._latest and (before is None or before <= self._latest):
            self._excursion = row.recorded_at
            return _breach(row, Break.TIME, "its time must not be ahead of the clock, and is.")
        if Break.TIME in self._accepted.get(row.position, ()):  # it was ahead of the clock when it was accepted
            self._excursion = row.recorded_at
        return None

    def _read(self, row: StoredRow) -> tuple[type[Fact] | None, Breach | None]:
        """The kind of fact that a row is of, where its topic, its stream and its bytes are those of one."""
        fact = FACTS_BY_TOPIC.get(row.topic)
        if fact is None:
            self._seals.check_topics([row.topic])
            return None, _breach(row, Break.TOPIC, f"its topic must be one of the ledger, and is {row.topic[:80]!r}.")
        try:
            check_name(row.stream, fact)
        except BadInput as error:
            return None, _breach(row, Break.STREAM, str(error))
        try:
            if not is_event(fact, row.state):
                read_event(row.stream, row.version, row.topic, row.state)
        except IntegrityFailure as error:
            return None, _breach(row, Break.BYTES, str(error))
        return fact, None

    def _check_place(self, row: StoredRow, fact: type[Fact], before: StreamStanding) -> Breach | None:
        if not before.sound:
            return None  # what it would have to follow is not known
        if row.version != before.version + 1:
            what = f"its version must be {before.version + 1:,}, and is {row.version:,}."
            return _breach(row, Break.VERSION, what)
        why = not_allowed(before.phase, before.outcome, fact.name) if fact.kind == "job" else None
        return _breach(row, Break.TABLE, f"{why}.") if why is not None else None


def _breach(row: StoredRow, promise: Break, what: str) -> Breach:
    return Breach(row.position, row.stream, promise, what)
