"""What one append knows: the streams it concerns, as they stand under the lock and as its own decisions leave them."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from ledger.admission import Demand, Held
from ledger.domain.commands import Plan, Transition
from ledger.domain.content import Told
from ledger.domain.decisions import Decision
from ledger.domain.draft import Below
from ledger.domain.entities import Access
from ledger.domain.events import (
    ENDINGS,
    OWNER_FACTS,
    Accepted,
    Attached,
    ComingEvent,
    Event,
    Fact,
    Limit,
    Planned,
    Resolved,
    Started,
    Succeeded,
)
from ledger.domain.job import Job, evolve
from ledger.domain.owner import Owner, evolve_owner
from ledger.domain.quorum import Family
from ledger.domain.states import Outcome
from ledger.domain.trees import OF_TREES, TREE_EVENTS_MAX, is_left
from ledger.store.families import Families
from ledger.store.holdings import Holdings
from ledger.store.mapper import read_recorded
from ledger.store.statements import SQL
from ledger.store.views import Asked, Session, Views

SHELF_STREAMS_MAX = 2_048
LEFT_MAX = TREE_EVENTS_MAX + 1
LIGHT_BYTES_MAX = 4 * 1_024  # streams with larger events are read again, so that the shelf stays small


@dataclass(slots=True)
class Stream:
    """A stream folded: the state of its job or owner, what it has told, and what the views keep of it."""

    state: Job | Owner | None
    told: Told
    viewed: Any = None
    light: bool = True
    recalled: bool = False  # then what it has told is yet to be read

    @property
    def version(self) -> int:
        """The version of the newest event that is folded in."""
        return self.state.version if self.state else 0

    def fold(self, event: Event) -> None:
        """Take in the next event, all but what the views keep."""
        if event.of_job:
            self.state = evolve(self.state if isinstance(self.state, Job) else None, event)
        else:
            self.state = evolve_owner(self.state if isinstance(self.state, Owner) else Owner(event.job), event)
        self.tell(event)

    def tell(self, event: Event) -> None:
        """Take in that an event was told, which the state knows already."""
        self.told.note(event)
        self.light = self.light and len(event.fact.text) <= LIGHT_BYTES_MAX


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


class Workspace:
    """The surroundings of the decisions of one append; it takes in each decision before the next is made."""

    def __init__(self, session: Session, views: Views, shelf: Shelf) -> None:
        self._session = session
        self._views = views
        self._shelf = shelf
        self._streams: dict[str, Stream] = {}
        self._families = Families(session, views, self._known, self._spoken_of)
        self._bound: dict[tuple[str, str], str | None] = {}
        self._holdings = Holdings(session, views, self._known, self._spoken_of, lambda: self._read)
        self._read = 0
        self._left: dict[tuple[str, str], list[str]] = {}
        self._of_trees = 0
        self.events: list[Event] = []
        self._written = 0

    # --- Reading

    def ask(self, batch: Sequence[Transition]) -> Asked[None]:
        """Ask for what the transitions of a batch are sure to need, a statement for each kind; read when called."""
        ended = {said.job for said in batch if type(said.fact) in ENDINGS}
        plans = (said.fact for said in batch if type(said.fact) is Plan)
        limits = (limit for plan in plans for part in plan.walk() for limit in part.limits)
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
        fresh = [name for name in names if name not in self._streams or self._streams[name].recalled]
        for name in fresh:
            if name not in self._streams:
                self._streams[name] = self._shelf.take(name) or Stream(None, Told())
        if not fresh:
            return _nothing
        after = {name: 0 if self._streams[name].recalled else self._streams[name].version for name in fresh}
        cursor = self._session.execute(SQL["select_streams"], {"after": to_json(after).decode()})

        def read() -> None:
            for row in cursor.fetchall():
                recorded = read_recorded(row)
                stream = self._streams[recorded.event.stream]
                if stream.recalled:
                    stream.tell(recorded.event)
                    continue
                stream.fold(recorded.event)
                stream.viewed = self._views.fold(stream.viewed, recorded)
            for name in fresh:
                self._streams[name].recalled = False
            self._read += len(fresh)

        return read

    def _stream(self, name: str) -> Stream:
        if name not in self._streams or self._streams[name].recalled:
            self._ask_streams([name])()
        return self._streams[name]

    def job(self, job: str) -> Job | None:
        """The state of a job, or None where no event speaks of it."""
        stream = self._streams.get(f"job:{job}") or self._stream(f"job:{job}")
        return stream.state if isinstance(stream.state, Job) else None

    def told(self, job: str) -> Told:
        """What the stream of a job has told so far."""
        return self._stream(f"job:{job}").told

    def owner(self, name: str) -> Owner:
        """The state of an owner; one that never started has no epoch."""
        state = self._stream(f"owner:{name}").state
        return state if isinstance(state, Owner) else Owner(name)

    def told_of_owner(self, name: str) -> Told:
        """What the stream of an owner has told so far."""
        return self._stream(f"owner:{name}").told

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
        self._recall(names)
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
            return _nothing
        asked = {
            event: self._views.left_below(self._session, [job for job, name in tops if name == event], event, LEFT_MAX)
            for event in {event for _, event in tops}
        }

        def read() -> None:
            for event, answer in asked.items():
                found = answer()
                if sum(map(len, found.values())) < LEFT_MAX:  # else each is asked for by itself
                    self._left.update(((job, event), found.get(job, [])) for job, name in tops if name == event)
            self._recall(name for names in self._left.values() for name in names)

        return read

    def _recall(self, names: Iterable[str]) -> None:
        """Take in the states of jobs without what they have told."""
        fresh = [name for name in dict.fromkeys(names) if f"job:{name}" not in self._streams]
        if fresh:
            self._read += len(fresh)
            for name, found in self._views.recall(self._session, fresh)().items():
                self._streams[f"job:{name}"] = Stream(found.job, Told(), found.kept, recalled=True)

    def bound(self, executor: str, external_id: str) -> str | None:
        """The job that has this external id of this executor."""
        if (executor, external_id) not in self._bound:
            self._ask_bound([(executor, external_id)])()
        return self._bound[executor, external_id]

    def _ask_bound(self, names: Iterable[tuple[str, str]]) -> Asked[None]:
        fresh = [name for name in names if name not in self._bound]
        if not fresh:
            return _nothing
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
        for position, event in enumerate(self.unwritten, start=before + 1):
            name = event.stream
            stream = touched[name] = self._streams[name]
            stream.viewed = self._views.fold(stream.viewed, ComingEvent(event, position))
        self._written = len(self.events)
        self._views.write(self._session, [stream.viewed for stream in touched.values()], before, head + self._written)

    def keep(self) -> None:
        """Leave the streams on the shelf, now that the append is committed; closed jobs are seldom spoken of again."""
        for name, stream in self._streams.items():
            if (
                stream.light
                and not stream.recalled
                and (isinstance(stream.state, Owner) or (stream.state and stream.state.active))
            ):
                self._shelf.put(name, stream)


def _nothing() -> None:
    """The answer where nothing had to be asked."""


def _claims_success(said: Transition) -> bool:
    """Whether a transition says that a job succeeded, which its children have to bear out."""
    return type(said.fact) is Succeeded or (type(said.fact) is Resolved and said.fact.outcome is Outcome.SUCCEEDED)


def _streams_of(said: Transition) -> Iterable[str]:
    if type(said.fact) in OWNER_FACTS:
        yield f"owner:{said.job}"
        return
    yield f"job:{said.job}"
    if said.owner is not None and said.epoch is not None:
        yield f"owner:{said.owner}"
    if type(said.fact) is Plan:
        for part in said.fact.walk():
            yield f"job:{part.job}"
            yield from (f"job:{name}" for name in (part.parent, part.retry_of) if name)


def _names_of(batch: Sequence[Transition]) -> list[tuple[str, str]]:
    facts = [said.fact for said in batch if type(said.fact) is Accepted or type(said.fact) is Started]
    return sorted({(fact.executor, fact.external_id) for fact in facts if fact.executor and fact.external_id})


def _demands_of(batch: Sequence[Transition]) -> list[Demand]:
    facts = [said.fact for said in batch]
    entities = [entity for fact in facts if type(fact) is Plan for part in fact.walk() for entity in part.entities]
    entities += [entity for fact in facts if type(fact) is Attached for entity in fact.entities]
    return list({Demand(it.type, it.id, it.access) for it in entities if it.access is not Access.NONE})
