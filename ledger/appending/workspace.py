"""What one append knows: the streams it concerns, as they stand under the lock and as its own decisions leave them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import proxy

from ledger.appending.families import Families
from ledger.appending.holdings import Holdings
from ledger.appending.lookup import JOB, LEDGER, OWNER, Lookup, nothing
from ledger.appending.shelf import Shelf, Stream
from ledger.domain.admission import Demand, Held
from ledger.domain.commands import Plan, Transition
from ledger.domain.content import SHORT_EVENTS_MAX, LongTold, Told
from ledger.domain.decisions import Decision
from ledger.domain.draft import Below
from ledger.domain.entities import Access
from ledger.domain.events import (
    ENDINGS,
    KINDS,
    Accepted,
    Attached,
    ComingEvent,
    Damaged,
    Event,
    Fact,
    Limit,
    Planned,
    RecordedEvent,
    Resolved,
    Started,
    Succeeded,
)
from ledger.domain.itself import Itself
from ledger.domain.job import Job
from ledger.domain.owner import Owner, owner_after
from ledger.domain.quorum import Family
from ledger.domain.states import Outcome
from ledger.domain.trees import OF_TREES, TREE_EVENTS_MAX, is_left
from ledger.domain.values import POSITION_MAX
from ledger.errors import IntegrityFailure
from ledger.store.reading import read_all
from ledger.store.streams import ask_newest, ask_page
from ledger.store.views import Asked, Session, Views

LEFT_MAX = TREE_EVENTS_MAX + 1


class Workspace:
    """The surroundings of the decisions of one append; it takes in each decision before the next is made."""

    def __init__(self, session: Session, views: Views, shelf: Shelf) -> None:
        self._session = session
        self._views = views
        self._shelf = shelf
        self._streams: dict[str, Stream] = {}
        self._untold: set[str] = set()  # streams of which the state alone was read
        self._read = 0
        me: Workspace = proxy(
            self
        )  # else each would hold the other, and all that an append read, until a search for such
        known, spoken_of = (lambda job: me._known(job)), (lambda: me._spoken_of())  # noqa: PLW0108
        self._families = Families(session, views, known, spoken_of)
        self._holdings = Holdings(session, views, known, spoken_of, lambda: me._read)
        self._bound: dict[tuple[str, str], str | None] = {}
        self._left: dict[tuple[str, str], list[str]] = {}
        self._of_trees = 0
        self._batch: Sequence[Transition] = ()
        self._lookup = Lookup(session, views, self._streams)
        self.events: list[Event] = []
        self._written = 0

    # --- Reading

    def ask(self, batch: Sequence[Transition]) -> Asked[None]:
        """Ask for what the transitions of a batch are sure to need, a statement for each kind; read when called."""
        self._batch = batch
        ended = {said.job for said in batch if type(said.fact) in ENDINGS}
        plans = (said.fact for said in batch if type(said.fact) is Plan)
        limits = (limit for plan in plans for part in plan.parts for limit in part.limits)
        asked = [
            self._ask_streams({name for said in batch for name in _streams_of(said)}),
            self._holdings.ask_present(limits),
            self._families.ask(said.job for said in batch if _claims_success(said)),
            self._ask_bound(_names_of(batch)),
            self._holdings.ask(_demands_of(batch)),
            self._ask_left(batch),
        ]

        def read() -> None:
            for answer in asked:
                answer()
            self._read_parents(ended)

        return read

    def _read_parents(self, ended: Collection[str]) -> None:
        jobs = [stream.state for stream in self._streams.values() if isinstance(stream.state, Job)]
        streams = self._ask_streams({f"job:{job.parent}" for job in jobs if job.parent})
        children = self._families.ask({job.parent for job in jobs if job.parent and job.id in ended})
        streams()
        children()

    def _ask_streams(self, names: Iterable[str]) -> Asked[None]:
        fresh = [name for name in names if name not in self._streams or name in self._untold]
        for name in fresh:
            if name not in self._streams:
                self._streams[name] = self._shelf.take(name) or Stream(None, Told())
        if not fresh:
            return nothing
        after = {name: 0 if name in self._untold else self._streams[name].version for name in fresh}
        cursor = ask_page(self._session, after, SHORT_EVENTS_MAX + 1)
        told = self._lookup.ask((name for name in fresh if after[name] > SHORT_EVENTS_MAX), self._batch)

        return lambda: self._take_in(fresh, cursor.fetchall(), told)

    def _take_in(self, names: Sequence[str], rows: Sequence[Any], told: Asked[None]) -> None:
        """Fold streams, of the long ones what they told first; of those whose state is known, no more than that."""
        long = _long(rows)
        for entry in read_all(self._session, (row for row in rows if _is_read(row, long))):
            if entry.event.stream not in long and entry.event.stream not in self._untold:
                self._fold(entry)
            elif entry.event.version <= SHORT_EVENTS_MAX:
                self._streams[entry.event.stream].note(entry.event)
        told()
        if long:
            self._recall(long)  # after it is noted what they told first
        for name in names:
            if name not in self._untold:
                self._streams[name].stored = self._streams[name].version
        self._untold.difference_update(names)
        self._read += len(names)

    def _fold(self, entry: RecordedEvent) -> None:
        stream = self._streams[entry.event.stream]
        stream.fold(entry.event)
        if not stream.damaged:
            stream.viewed = self._views.fold(stream.viewed, entry)

    def _recall(self, names: Collection[str]) -> None:
        """Take streams that are too long to be read from what the views, or the newest event, say of them."""
        for name in names:
            self._streams[name].latest = None
        unknown = [name for name in names if name not in self._untold]
        asked = [
            self._recall_jobs([name.removeprefix(JOB) for name in unknown if name.startswith(JOB)]),
            self._recall_owners([name for name in unknown if name.startswith(OWNER)]),
            self._recall_whole([name for name in unknown if name.startswith(LEDGER)]),
            self._lookup.ask(names, self._batch),
        ]
        for answer in asked:
            answer()

    def _recall_jobs(self, jobs: Sequence[str]) -> Asked[None]:
        if not jobs:
            return nothing
        asked = self._views.recall(self._session, jobs)

        def read() -> None:
            found = asked()
            for job in jobs:
                if job not in found:
                    raise IntegrityFailure(
                        f"The views must know job {job}, which is on record; run jobledger projections rebuild.",
                        stream=f"{JOB}{job}",
                    )
                self._streams[f"{JOB}{job}"].recall(*found[job])

        return read

    def _recall_owners(self, names: Sequence[str]) -> Asked[None]:
        if not names:
            return nothing
        cursor = ask_newest(self._session, names)

        def read() -> None:
            for entry in read_all(self._session, cursor.fetchall()):
                if type(entry.event.fact) is Damaged:  # then what came before it counts
                    self._recall_whole([entry.event.stream])()
                    continue
                viewed = self._views.fold(None, entry)
                self._streams[entry.event.stream].recall(owner_after(entry.event), viewed, len(entry.event.fact.text))

        return read

    def _recall_whole(self, names: Sequence[str]) -> Asked[None]:
        """Take streams from all their events: what a ledger says of itself is little, and every word of it counts."""
        if not names:
            return nothing
        cursor = ask_page(self._session, dict.fromkeys(names, 0), POSITION_MAX)
        for name in names:
            self._streams[name].state = None

        def read() -> None:
            for entry in read_all(self._session, cursor.fetchall()):
                self._streams[entry.event.stream].evolve(entry.event)

        return read

    def _told(self, name: str) -> Told:
        stream = self._stream(name)
        return self._long_told(name, stream) if stream.version > SHORT_EVENTS_MAX else stream.told

    def _long_told(self, name: str, stream: Stream) -> LongTold:
        return self._lookup.told(name, stream)

    def _stream(self, name: str) -> Stream:
        if name not in self._streams or name in self._untold:
            self._ask_streams([name])()
        return self._streams[name]

    def job(self, job: str) -> Job | None:
        """The state of a job, or None where no event speaks of it."""
        stream = self._streams.get(f"job:{job}") or self._stream(f"job:{job}")
        return stream.state if isinstance(stream.state, Job) else None

    def told(self, job: str) -> Told:
        """What the stream of a job has told so far."""
        return self._told(f"job:{job}")

    def owner(self, name: str) -> Owner:
        """The state of an owner; one that never started has no epoch."""
        state = self._stream(f"owner:{name}").state
        return state if isinstance(state, Owner) else Owner(name)

    def told_of_owner(self, name: str) -> Told:
        """What the stream of an owner has told so far."""
        return self._told(f"owner:{name}")

    def itself(self, ledger: str) -> Itself:
        """What a ledger has on record of itself."""
        state = self._stream(f"ledger:{ledger}").state
        return state if isinstance(state, Itself) else Itself(ledger)

    def told_of_itself(self, ledger: str) -> Told:
        """What the stream of a ledger itself has told so far."""
        return self._told(f"ledger:{ledger}")

    def has_child(self, parent: str) -> bool:
        """Whether a job has a child; one that was refused is none."""
        return self._families.has_child(parent)

    def family(self, parent: str) -> Family:
        """The children of a job, as far as they count for it."""
        return self._families.family(parent)

    def open_children(self, parent: str) -> Iterator[str]:
        """The children of a job that are not closed, in any order."""
        return self._families.open_children(parent)

    def unsettled_beside(self, parent: str, child: str) -> bool:
        """Whether a job stays without a value unless this child fails, as far as a short look tells."""
        return self._families.unsettled_beside(parent, child)

    def _known(self, job: str) -> Job | None:
        """A job of which this append has read or decided something."""
        stream = self._streams.get(f"job:{job}")
        return stream.state if stream and isinstance(stream.state, Job) else None

    def _spoken_of(self) -> Iterator[Job]:
        return (stream.state for stream in self._streams.values() if isinstance(stream.state, Job))

    @property
    def room(self) -> int:
        """Of how many jobs this append may yet say what is said of whole trees."""
        return max(0, TREE_EVENTS_MAX - self._of_trees)

    def states(self, names: Sequence[str]) -> Sequence[Job]:
        """The states of several jobs that are on record, parents first."""
        self._recall_states(names)
        return sorted((state for name in names if (state := self._known(name))), key=lambda state: state.depth)

    def left_below(self, job: str, fact: Fact) -> Below:
        """The jobs below a job of which this is yet to be said, as many as this append has room for."""
        room = self.room
        if (job, fact.name) not in self._left:
            self._left[job, fact.name] = self._views.left_below(self._session, [job], fact.name, room + 1)().get(
                job, []
            )
        asked = self._left.pop((job, fact.name))
        found = [state for state in self.states([*asked, *self._planned_under(job)]) if is_left(state, fact)]
        return Below(found[:room], len(asked) <= room and len(found) <= room)

    def _planned_under(self, top: str) -> Iterator[str]:
        """The jobs below a job that this append planned."""
        root = job.root if (job := self.job(top)) else ""
        for name in self._families.all_planned():
            job = self.job(name)
            if job is None or job.root != root:
                continue
            while job is not None and job.id != top:
                job = self.job(job.parent) if job.parent else None
            if job is not None:
                yield name

    def _ask_left(self, batch: Sequence[Transition]) -> Asked[None]:
        """Ask of which jobs below it is to be said what is said of trees, and for the states of these."""
        tops = {(said.job, said.fact.name) for said in batch if type(said.fact) in OF_TREES}
        if not tops:
            return nothing
        asked = {
            event: self._views.left_below(self._session, [job for job, name in tops if name == event], event, LEFT_MAX)
            for event in {event for _, event in tops}
        }

        def read() -> None:
            for event, answer in asked.items():
                found = answer()
                if sum(map(len, found.values())) < LEFT_MAX:  # else each is asked for by itself
                    self._left.update(((job, event), found.get(job, [])) for job, name in tops if name == event)
            self._recall_states(name for names in self._left.values() for name in names)

        return read

    def _recall_states(self, names: Iterable[str]) -> None:
        """Take in the states of jobs without what they have told."""
        fresh = [name for name in dict.fromkeys(names) if f"{JOB}{name}" not in self._streams]
        if not fresh:
            return
        for name, found in self._views.recall(self._session, fresh)().items():
            stream = self._streams[f"{JOB}{name}"] = Stream(None, Told(), stored=found.job.version, latest=None)
            stream.recall(*found)
            self._untold.add(f"{JOB}{name}")
        self._read += len(fresh)

    def bound(self, executor: str, external_id: str) -> str | None:
        """The job that has this external id of this executor."""
        if (executor, external_id) not in self._bound:
            self._ask_bound([(executor, external_id)])()
        return self._bound[executor, external_id]

    def _ask_bound(self, names: Iterable[tuple[str, str]]) -> Asked[None]:
        fresh = [name for name in names if name not in self._bound]
        if not fresh:
            return nothing
        asked = self._views.bound(self._session, fresh)

        def read() -> None:
            found = asked()
            self._bound.update((name, found.get(name)) for name in fresh)

        return read

    def against(self, demands: Sequence[Demand], root: str | None) -> Held:
        """The active jobs that may stand against these demands; of many the oldest, none of them of this tree."""
        return self._holdings.against(demands, root)

    def present(self, limit: Limit) -> Held:
        """The active jobs that count against a limit, each once; of many the oldest."""
        return self._holdings.present(limit)

    # --- Deciding

    def take(self, decision: Decision) -> None:
        """Take in the events of a decision, so that the next one sees them."""
        if decision.events and type(decision.events[0].fact) in OF_TREES:
            self._of_trees += len(decision.events)
        for event in decision.events:
            stream = self._streams.get(event.stream) or self._stream(event.stream)
            stream.fold(event)
            if event.version > SHORT_EVENTS_MAX:
                self._long_told(event.stream, stream).note(event)
            self.events.append(event)
            if isinstance(stream.state, Job):
                self._note_job(event, stream.state)

    def _note_job(self, event: Event, job: Job) -> None:
        if type(event.fact) is Planned and job.parent:
            self._families.plan(job.parent, job.id)
        if job.executor and job.external_id:
            self._bound[job.executor, job.external_id] = job.id
        self._holdings.take(event, job)

    @property
    def unwritten(self) -> Sequence[Event]:
        """The events that were decided since the views were last written."""
        return self.events[self._written :]

    def write_views(self, head: int) -> None:
        """Let the views write what the unwritten events have changed; all decided events come after a head."""
        touched: dict[str, Stream] = {}
        before = head + self._written
        coming = [ComingEvent(event, position) for position, event in enumerate(self.unwritten, start=before + 1)]
        for entry in coming:
            name = entry.event.stream
            stream = touched[name] = self._streams[name]
            stream.viewed = self._views.fold(stream.viewed, entry)
        self._written = len(self.events)
        self._views.write(self._session, [stream.viewed for stream in touched.values()], coming)

    def keep(self) -> None:
        """Leave the streams on the shelf, now that the append is committed; closed jobs are seldom spoken of again."""
        for name, stream in self._streams.items():
            state = stream.state
            kept = not stream.damaged and (state.active if isinstance(state, Job) else state is not None)
            if stream.light and kept and name not in self._untold:
                self._shelf.put(name, stream)


def _is_read(row: Mapping[str, Any], long: Collection[str]) -> bool:
    """Whether a row is to be read: of a stream that is recalled only those that it began with."""
    return row["originator_id"] not in long or row["originator_version"] <= SHORT_EVENTS_MAX


def _long(rows: Sequence[Any]) -> Collection[str]:
    """The streams of which there is more than is read."""
    if len(rows) <= SHORT_EVENTS_MAX:
        return ()
    found = Counter(row["originator_id"] for row in rows)
    return {name for name, count in found.items() if count > SHORT_EVENTS_MAX}


def _claims_success(said: Transition) -> bool:
    """Whether a transition says that a job succeeded, which its children have to bear out."""
    return type(said.fact) is Succeeded or (type(said.fact) is Resolved and said.fact.outcome is Outcome.SUCCEEDED)


def _streams_of(said: Transition) -> Iterable[str]:
    kind = KINDS.get(type(said.fact), "job")
    yield f"{kind}:{said.job}"
    if kind == "owner":
        return
    if said.owner is not None and said.epoch is not None:
        yield f"owner:{said.owner}"
    if type(said.fact) is Plan:
        for part in said.fact.parts:
            yield f"job:{part.job}"
            yield from (f"job:{name}" for name in (part.parent, part.retry_of) if name)


def _names_of(batch: Sequence[Transition]) -> list[tuple[str, str]]:
    facts = [said.fact for said in batch if type(said.fact) is Accepted or type(said.fact) is Started]
    return sorted({(fact.executor, fact.external_id) for fact in facts if fact.executor and fact.external_id})


def _demands_of(batch: Sequence[Transition]) -> list[Demand]:
    facts = [said.fact for said in batch]
    entities = [entity for fact in facts if type(fact) is Plan for part in fact.parts for entity in part.entities]
    entities += [entity for fact in facts if type(fact) is Attached for entity in fact.entities]
    return list({Demand(it.type, it.id, it.access) for it in entities if it.access is not Access.NONE})
