"""What one append knows: the streams it concerns, as they stand under the lock and as its own decisions leave them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from ledger.appending.families import Families
from ledger.appending.holdings import OF_HOLDERS, Holdings
from ledger.appending.lookup import Lookup
from ledger.appending.shelf import JOB, LEDGER, OWNER, Shelf, Stream, Streams
from ledger.domain.admission import Demand
from ledger.domain.commands import Plan, Transition
from ledger.domain.content import SHORT_EVENTS_MAX, Told
from ledger.domain.decisions import Decision
from ledger.domain.draft import Below
from ledger.domain.entities import Access, Entity
from ledger.domain.events import (
    ENDINGS,
    Attached,
    ComingEvent,
    Damaged,
    Event,
    Fact,
    Limit,
    Placed,
    Planned,
    names_in,
)
from ledger.domain.facts import BINDING, outcome_of
from ledger.domain.itself import Itself
from ledger.domain.job import Job
from ledger.domain.owner import Owner, owner_after
from ledger.domain.states import Outcome
from ledger.domain.trees import OF_TREES, TREE_EVENTS_MAX, is_left
from ledger.domain.values import POSITION_MAX
from ledger.errors import IntegrityFailure
from ledger.store.reading import read_all
from ledger.store.streams import ask_newest, ask_page
from ledger.store.views import Asked, Session, Views, nothing

LEFT_MAX = TREE_EVENTS_MAX + 1


class Workspace:
    """The surroundings of the decisions of one append; it takes in each decision before the next is made.

    `unwritten` are the events that were decided since the views were last written.
    """

    def __init__(self, session: Session, views: Views, shelf: Shelf) -> None:
        self._session = session
        self._views = views
        self._shelf = shelf
        self._streams = Streams()
        self._untold: set[str] = set()  # streams of which the state alone was read
        self._bound: dict[tuple[str, str], str | None] = {}
        self._left: dict[tuple[str, str], list[str]] = {}
        self._of_trees = 0
        self._batch: Sequence[Transition] = ()
        self.events: list[Event] = []
        self.unwritten: list[Event] = []

    @cached_property
    def families(self) -> Families:
        """The children of the parents that decisions are about."""
        return Families(self._session, self._views, self._streams)

    @cached_property
    def holdings(self) -> Holdings:
        """Who holds what plans and attaches ask for."""
        return Holdings(self._session, self._views, self._streams)

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self._session, self._views, self._streams)

    # --- Reading

    def ask(self, batch: Sequence[Transition]) -> Asked[None]:
        """Ask for what the transitions of a batch are sure to need, a statement for each kind; read when called."""
        self._batch = batch
        needs = _Needs(batch)
        asked = [self._ask_streams(needs.streams)]
        if needs.limits:
            asked.append(self.holdings.ask_present(needs.limits))
        if needs.succeeded:
            asked.append(self.families.ask(needs.succeeded))
        if needs.bound:
            asked.append(self._ask_bound(sorted(needs.bound)))
        if needs.demands:
            asked.append(self.holdings.ask(needs.demands))
        if needs.of_trees:
            asked.append(self._ask_left(needs.of_trees))

        def read() -> None:
            for answer in asked:
                answer()
            self._read_parents(needs.ended)

        return read

    def _read_parents(self, ended: Collection[str]) -> None:
        parents: set[str] = set()
        of_ended: set[str] = set()
        for job in self._streams.jobs():
            if job.parent is not None:
                parents.add(f"job:{job.parent}")
                if job.id in ended:
                    of_ended.add(job.parent)
        if parents:
            streams = self._ask_streams(parents)
            children = self.families.ask(of_ended)
            streams()
            children()

    def _ask_streams(self, names: Iterable[str]) -> Asked[None]:
        after: dict[str, int] = {}
        for name in names:
            stream = self._streams.get(name)
            if stream is None:
                stream = self._streams[name] = self._shelf.take(name)
                after[name] = stream.version
            elif name in self._untold:
                after[name] = 0
        if not after:
            return nothing
        cursor = ask_page(self._session, after, SHORT_EVENTS_MAX + 1)
        long = {name for name, version in after.items() if version > SHORT_EVENTS_MAX}
        told = self._lookup.ask(long, self._batch) if long else nothing
        return lambda: self._take_in(after, cursor.fetchall(), told)

    def _take_in(self, names: Collection[str], rows: Sequence[Mapping[str, Any]], told: Asked[None]) -> None:
        """Fold streams, of the long ones what they told first; of those whose state is known, no more than that."""
        long = _long(rows) if len(rows) > SHORT_EVENTS_MAX else ()
        if rows:
            for entry in read_all(self._session, (row for row in rows if _is_read(row, long))):
                name = entry.event.stream
                if name not in long and name not in self._untold:
                    self._fold(self._streams[name], entry)
                elif entry.event.version <= SHORT_EVENTS_MAX:
                    self._streams[name].note(entry.event)
        told()
        if long:
            self._recall(long)  # after it is noted what they told first
        for name in names:
            if name not in self._untold:
                self._streams[name].stored = self._streams[name].version
        self._untold.difference_update(names)
        self._streams.read += len(names)

    def _fold(self, stream: Stream, entry: Placed) -> None:
        stream.fold(entry.event)
        if stream.kind == JOB and not stream.damaged:
            stream.viewed = self._views.fold(stream.viewed, entry)

    def _recall(self, names: Collection[str]) -> None:
        """Take streams that are too long to be read from what the views, or the newest event, say of them."""
        for name in names:
            self._streams[name].latest = None
        unknown = [name for name in names if name not in self._untold]
        asked = [
            self._recall_jobs([name for name in unknown if self._streams[name].kind == JOB]),
            self._recall_owners([name for name in unknown if self._streams[name].kind == OWNER]),
            self._recall_whole([name for name in unknown if self._streams[name].kind == LEDGER]),
            self._lookup.ask(names, self._batch),
        ]
        for answer in asked:
            answer()

    def _recall_jobs(self, names: Sequence[str]) -> Asked[None]:
        if not names:
            return nothing
        jobs = {name.removeprefix("job:"): name for name in names}
        asked = self._views.recall(self._session, jobs)

        def read() -> None:
            found = asked()
            for job, name in jobs.items():
                if job not in found:
                    raise IntegrityFailure(
                        f"The views must know job {job}, which is on record; run jobledger projections rebuild.",
                        stream=name,
                    )
                self._streams[name].recall(*found[job])

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
                self._streams[entry.event.stream].recall(owner_after(entry.event), None, len(entry.event.fact.text))

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

    def _stream(self, name: str) -> Stream:
        stream = self._streams.get(name)
        if stream is None or name in self._untold:
            self._ask_streams([name])()
            stream = self._streams[name]
        return stream

    def _told(self, name: str) -> Told:
        stream = self._stream(name)
        return self._lookup.told(name, stream) if stream.version > SHORT_EVENTS_MAX else stream.told

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

    @property
    def room(self) -> int:
        """Of how many jobs this append may yet say what is said of whole trees."""
        return max(0, TREE_EVENTS_MAX - self._of_trees)

    def states(self, names: Sequence[str]) -> Sequence[Job]:
        """The states of several jobs that are on record, parents first."""
        self._recall_states(names)
        return sorted((state for name in names if (state := self._streams.job(name))), key=lambda state: state.depth)

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
        for name in self.families.all_planned():
            job = self.job(name)
            if job is None or job.root != root:
                continue
            while job is not None and job.id != top:
                job = self.job(job.parent) if job.parent else None
            if job is not None:
                yield name

    def _ask_left(self, tops: Collection[tuple[str, str]]) -> Asked[None]:
        """Ask of which jobs below it is to be said what is said of trees, and for the states of these."""
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
        fresh = [name for name in dict.fromkeys(names) if f"job:{name}" not in self._streams]
        if not fresh:
            return
        for name, found in self._views.recall(self._session, fresh)().items():
            stream = self._streams[f"job:{name}"] = Stream(JOB, stored=found.job.version, latest=None)
            stream.recall(*found)
            self._untold.add(f"job:{name}")
        self._streams.read += len(fresh)

    def bound(self, executor: str, external_id: str) -> str | None:
        """The job that has this external id of this executor."""
        if (executor, external_id) not in self._bound:
            self._ask_bound([(executor, external_id)])()
        return self._bound[executor, external_id]

    def _ask_bound(self, names: Sequence[tuple[str, str]]) -> Asked[None]:
        asked = self._views.bound(self._session, names)

        def read() -> None:
            found = asked()
            self._bound.update((name, found.get(name)) for name in names)

        return read

    # --- Deciding

    def take(self, decision: Decision) -> None:
        """Take in the events of a decision, so that the next one sees them."""
        if decision.events and type(decision.events[0].fact) in OF_TREES:
            self._of_trees += len(decision.events)
        for event in decision.events:
            name = f"{event.fact.kind}:{event.job}"
            stream = self._streams.get(name) or self._stream(name)
            stream.fold(event)
            if event.version > SHORT_EVENTS_MAX:
                self._lookup.told(name, stream).note(event)
            if isinstance(stream.state, Job):
                self._note_job(event, stream.state)
            self.events.append(event)
            self.unwritten.append(event)

    def _note_job(self, event: Event, job: Job) -> None:
        if job.executor and job.external_id:
            self._bound[job.executor, job.external_id] = job.id
        if type(event.fact) is Planned and job.parent:
            self.families.plan(job.parent, job.id)
        if type(event.fact) in OF_HOLDERS:
            self.holdings.take(event)

    def write_views(self, head: int) -> None:
        """Let the views write what the unwritten events have changed; all decided events come after a head."""
        position = head + len(self.events) - len(self.unwritten)
        kept: dict[str, Any] = {}
        coming = []
        for event in self.unwritten:
            position += 1
            entry = ComingEvent(event, position)
            coming.append(entry)
            if event.fact.kind == JOB:
                stream = self._streams[f"job:{event.job}"]
                kept[event.job] = stream.viewed = self._views.fold(stream.viewed, entry)
        self.unwritten = []
        self._views.write(self._session, kept.values(), coming)

    def keep(self) -> None:
        """Leave the streams on the shelf, now that the append is committed; closed jobs are seldom spoken of again."""
        for name, stream in self._streams.items():
            if stream.light and stream.lasting and not stream.damaged and name not in self._untold:
                self._shelf.put(name, stream)


class _Needs:
    """What the decisions about a batch are sure to ask for."""

    def __init__(self, batch: Iterable[Transition]) -> None:
        self.streams: set[str] = set()
        self.limits: list[Limit] = []
        self.demands: set[Demand] = set()
        self.bound: set[tuple[str, str]] = set()  # executors, each with an id there
        self.of_trees: set[tuple[str, str]] = set()  # jobs, each with what is said of it and all below
        self.ended: set[str] = set()  # jobs that are said to have ended, or been resolved
        self.succeeded: set[str] = set()  # those said to have succeeded, which their children have to bear out
        for said in batch:
            self._take(said, type(said.fact))

    def _take(self, said: Transition, kind: type[Fact]) -> None:
        fact: Any = said.fact
        self.streams.add(f"{fact.kind}:{said.job}")
        if said.owner is not None and said.epoch is not None:
            self.streams.add(f"owner:{said.owner}")
        if kind is Plan:
            self._take_plan(fact)
        elif kind is Attached:
            self._ask_for(fact.entities)
        elif kind in BINDING:
            names = names_in(fact)
            if "executor" in names and "external_id" in names:
                self.bound.add((names["executor"], names["external_id"]))
        elif kind in ENDINGS:
            self.ended.add(said.job)
            if outcome_of(fact) is Outcome.SUCCEEDED:
                self.succeeded.add(said.job)
        elif kind in OF_TREES:
            self.of_trees.add((said.job, fact.name))

    def _take_plan(self, plan: Plan) -> None:
        for part in plan.parts:
            self.streams.update(f"job:{name}" for name in (part.job, part.parent, part.retry_of) if name)
            self.limits += part.limits
            self._ask_for(part.entities)

    def _ask_for(self, entities: Iterable[Entity]) -> None:
        self.demands.update(Demand(it.type, it.id, it.access) for it in entities if it.access is not Access.NONE)


def _is_read(row: Mapping[str, Any], long: Collection[str]) -> bool:
    """Whether a row is to be read: of a stream that is recalled only those that it began with."""
    return row["originator_id"] not in long or row["originator_version"] <= SHORT_EVENTS_MAX


def _long(rows: Sequence[Mapping[str, Any]]) -> Collection[str]:
    """The streams of which there is more than is read."""
    found = Counter(row["originator_id"] for row in rows)
    return {name for name, count in found.items() if count > SHORT_EVENTS_MAX}
