"""What one append knows: the streams it concerns, as they stand under the lock and as its own decisions leave them."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from pydantic_core import to_json

from ledger.admission import Demand, Holder
from ledger.domain.commands import Plan, Transition, print_fact
from ledger.domain.content import SHORT_EVENTS_MAX, LongTold, Told
from ledger.domain.decisions import Decision
from ledger.domain.entities import Access
from ledger.domain.events import (
    ENDINGS,
    KINDS,
    Accepted,
    Attached,
    ComingEvent,
    Event,
    Limit,
    Planned,
    Progressed,
    RecordedEvent,
    Started,
    asked_by,
)
from ledger.domain.itself import Itself, evolve_itself
from ledger.domain.job import Job
from ledger.domain.owner import Owner, owner_after
from ledger.domain.progress import advance
from ledger.domain.quorum import Child
from ledger.domain.values import POSITION_MAX
from ledger.errors import IntegrityFailure
from ledger.store.lookup import JOB, LEDGER, OWNER, Lookup, nothing
from ledger.store.reading import read_all
from ledger.store.shelf import Shelf, Stream
from ledger.store.statements import SQL
from ledger.store.views import Asked, Session, Views


class Workspace:
    """The surroundings of the decisions of one append; it takes in each decision before the next is made."""

    def __init__(self, session: Session, views: Views, shelf: Shelf) -> None:
        self._session = session
        self._views = views
        self._shelf = shelf
        self._streams: dict[str, Stream] = {}
        self._children: dict[str, list[Child]] = {}
        self._first_open: dict[str, int] = {}
        self._bound: dict[tuple[str, str], str | None] = {}
        self._holders: dict[Demand, list[Holder]] = {}
        self._planned_below: dict[str, list[str]] = {}
        self._asking: dict[tuple[str, str, Access], list[Event]] = {}
        self._present: dict[tuple[str, str, str], list[Holder]] = {}
        self._progress: dict[str, list[dict[str, Any]]] = {}
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
        limits = (limit for plan in plans for part in plan.walk() for limit in part.limits)
        asked = [
            self._ask_streams({name for said in batch for name in _streams_of(said)}),
            self._ask_present(limits),
            self._ask_children(ended),
            self._ask_bound(_names_of(batch)),
            self._ask_holders(_demands_of(batch)),
        ]

        def read() -> None:
            for answer in asked:
                answer()
            self._read_parents(ended)

        return read

    def _read_parents(self, ended: Collection[str]) -> None:
        jobs = [stream.state for stream in self._streams.values() if isinstance(stream.state, Job)]
        streams = self._ask_streams({f"job:{job.parent}" for job in jobs if job.parent})
        children = self._ask_children({job.parent for job in jobs if job.parent and job.id in ended})
        streams()
        children()

    def _ask_streams(self, names: Iterable[str]) -> Asked[None]:
        fresh = [name for name in names if name not in self._streams]
        for name in fresh:
            self._streams[name] = self._shelf.take(name) or Stream(None, Told())
        if not fresh:
            return nothing
        after = {name: self._streams[name].version for name in fresh}
        parameters = {"after": to_json(after).decode(), "limit": SHORT_EVENTS_MAX + 1}
        cursor = self._session.execute(SQL["select_streams"], parameters)
        told = self._lookup.ask((name for name in fresh if after[name] > SHORT_EVENTS_MAX), self._batch)

        def read() -> None:
            rows = cursor.fetchall()
            long = _long(rows)
            for entry in read_all(self._session, (row for row in rows if _is_read(row, long))):
                if entry.event.stream in long:
                    self._streams[entry.event.stream].note(entry.event)
                else:
                    self._fold(entry)
            told()
            if long:
                self._recall(long)  # after it is noted what they told first
            for name in fresh:
                self._streams[name].stored = self._streams[name].version

        return read

    def _fold(self, entry: RecordedEvent) -> None:
        stream = self._streams[entry.event.stream]
        stream.fold(entry.event)
        if not stream.damaged:
            stream.viewed = self._views.fold(stream.viewed, entry)

    def _recall(self, names: Collection[str]) -> None:
        """Take streams that are too long to be read from what the views, or the newest event, say of them."""
        for name in names:
            self._streams[name].latest = None
        asked = [
            self._recall_jobs([name.removeprefix(JOB) for name in names if name.startswith(JOB)]),
            self._recall_owners([name for name in names if name.startswith(OWNER)]),
            self._recall_itself([name for name in names if name.startswith(LEDGER)]),
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
        cursor = self._session.execute(SQL["select_newest_events"], {"streams": to_json(names).decode()})

        def read() -> None:
            for entry in read_all(self._session, cursor.fetchall()):
                viewed = self._views.fold(None, entry)
                self._streams[entry.event.stream].recall(owner_after(entry.event), viewed, len(entry.event.fact.text))

        return read

    def _recall_itself(self, names: Sequence[str]) -> Asked[None]:
        """What a ledger has on record of itself is little, and every word of it counts."""
        if not names:
            return nothing
        parameters = {"after": to_json(dict.fromkeys(names, 0)).decode(), "limit": POSITION_MAX}
        cursor = self._session.execute(SQL["select_streams"], parameters)

        def read() -> None:
            for entry in read_all(self._session, cursor.fetchall()):
                stream = self._streams[entry.event.stream]
                before = stream.state if isinstance(stream.state, Itself) and entry.event.version > 1 else None
                stream.state = evolve_itself(before or Itself(entry.event.job), entry.event)

        return read

    def _told(self, name: str) -> Told:
        stream = self._stream(name)
        return self._long_told(name, stream) if stream.version > SHORT_EVENTS_MAX else stream.told

    def _long_told(self, name: str, stream: Stream) -> LongTold:
        return self._lookup.told(name, stream)

    def _stream(self, name: str) -> Stream:
        if name not in self._streams:
            self._ask_streams([name])()
        return self._streams[name]

    def job(self, job: str) -> Job | None:
        """The state of a job, or None where no event speaks of it."""
        state = self._stream(f"job:{job}").state
        return state if isinstance(state, Job) else None

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

    def children(self, parent: str) -> Sequence[Child]:
        """The children of a job in the order of planning; one that was refused is none."""
        if parent not in self._children:
            self._ask_children({parent})()
        return [self._as_it_stands(child) for child in self._children[parent]]

    def open_children(self, parent: str) -> Iterator[str]:
        """The children of a job that are not closed, in the order of planning."""
        if parent not in self._children:
            self._ask_children({parent})()
        children = self._children[parent]
        # A child that is closed stays so, and thus the next look may begin where this one found the first open one.
        first = self._first_open.get(parent, 0)
        while first < len(children) and self._as_it_stands(children[first]).outcome is not None:
            first += 1
        self._first_open[parent] = first
        for place in range(first, len(children)):
            if self._as_it_stands(children[place]).outcome is None:
                yield children[place].job

    def _ask_children(self, parents: Iterable[str]) -> Asked[None]:
        fresh = [parent for parent in parents if parent not in self._children]
        if not fresh:
            return nothing
        asked = self._views.children(self._session, fresh)

        def read() -> None:
            found = asked()
            for parent in fresh:
                known = found.get(parent, [])
                names = {child.job for child in known}
                planned = [name for name in self._planned_below.get(parent, []) if name not in names]
                self._children[parent] = known + [self._child(name) for name in planned]

        return read

    def _child(self, name: str) -> Child:
        job = self.job(name)
        assert job is not None  # noqa: S101 - this append planned it
        return Child(job.id, job.outcome, job.required, job.retry_of)

    def _as_it_stands(self, child: Child) -> Child:
        stream = self._streams.get(f"job:{child.job}")
        return self._child(child.job) if stream and stream.state else child

    def descendants(self, job: str) -> Sequence[Job]:
        """Every job below a job, parents first."""
        names = dict.fromkeys(self._views.descendants(self._session, job))
        waiting = deque([job, *names])
        while waiting:
            below = self._planned_below.get(waiting.popleft(), [])
            waiting += [name for name in below if name not in names]
            names.update(dict.fromkeys(below))
        self._ask_streams(f"job:{name}" for name in names)()
        found = [state for name in names if (state := self.job(name))]
        return sorted(found, key=lambda state: state.depth)

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

    def holders(self, demands: Sequence[Demand]) -> Sequence[Holder]:
        """The active jobs that may stand against these demands."""
        self._ask_holders(demands)()
        found = [holder for demand in demands for holder in self._holders[demand]]
        for demand in demands:
            found += self._asked_here(demand.type, demand.id, demand.access.against)
        return [self._as_told(holder) for holder in found if self._still_holds(holder)]

    def present(self, limit: Limit) -> Sequence[Holder]:
        """The active jobs that count against a limit, each once."""
        self._ask_present([limit])()
        found = {holder.job: holder for holder in self._present[limit.counted] if self._still_holds(holder)}
        for holder in self._asked_here(limit.entity.type, limit.entity.id, tuple(Access)):
            if holder.job_type == limit.type and self._still_holds(holder):
                found.setdefault(holder.job, holder)
        return [self._as_told(holder) for holder in found.values()]

    def _asked_here(self, entity_type: str, entity_id: str, accesses: Sequence[Access]) -> Iterator[Holder]:
        """Who has begun in this append to hold an entity, with one of these accesses."""
        for access in accesses:
            for event in self._asking.get((entity_type, entity_id, access), ()):
                job = self.job(event.job)
                if job is not None:
                    yield Holder(
                        job.id, job.type, job.root, entity_type, entity_id, access, event.occurred_at, job.owner
                    )

    def _ask_present(self, limits: Iterable[Limit]) -> Asked[None]:
        fresh = {limit.counted: limit for limit in limits if limit.counted not in self._present}
        if not fresh:
            return nothing
        asked = self._views.present(self._session, fresh.values())

        def read() -> None:
            self._present.update({counted: [] for counted in fresh})
            for holder in asked():
                self._present[holder.job_type, holder.type, holder.id].append(holder)

        return read

    def _as_told(self, holder: Holder) -> Holder:
        """A holder with what this append itself has told of it."""
        told = self._progress.get(holder.job)
        return replace(holder, progress=reduce(advance, told, holder.progress)) if told else holder

    def _ask_holders(self, demands: Iterable[Demand]) -> Asked[None]:
        fresh = [demand for demand in demands if demand not in self._holders]
        if not fresh:
            return nothing
        asked = self._views.holders(self._session, fresh)

        def read() -> None:
            found: dict[tuple[str, str], list[Holder]] = {}
            for holder in asked():
                found.setdefault((holder.type, holder.id), []).append(holder)
            self._holders.update((demand, found.get((demand.type, demand.id), [])) for demand in fresh)

        return read

    def _still_holds(self, holder: Holder) -> bool:
        stream = self._streams.get(f"job:{holder.job}")
        if stream is None or not isinstance(stream.state, Job):
            return True
        held = ((entity.type, entity.id, entity.access) for entity in stream.state.entities)
        return stream.state.active and (holder.type, holder.id, holder.access) in held

    # --- Deciding

    def take(self, decision: Decision) -> None:
        """Take in the events of a decision, so that the next one sees them."""
        for event in decision.events:
            stream = self._stream(event.stream)
            stream.fold(event)
            if event.version > SHORT_EVENTS_MAX:
                self._long_told(event.stream, stream).note(event)
            self.events.append(event)
            if isinstance(stream.state, Job):
                self._note_job(event, stream.state)

    def _note_job(self, event: Event, job: Job) -> None:
        if type(event.fact) is Planned and job.parent:
            self._planned_below.setdefault(job.parent, []).append(job.id)
            if job.parent in self._children:
                self._children[job.parent].append(self._child(job.id))
        if job.executor and job.external_id:
            self._bound[job.executor, job.external_id] = job.id
        if type(event.fact) is Progressed:
            self._progress.setdefault(job.id, []).append(print_fact(event.fact))
        for entity in asked_by(event.fact):
            self._asking.setdefault((entity.type, entity.id, entity.access), []).append(event)

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
            if stream.light and not stream.damaged and (state.active if isinstance(state, Job) else state is not None):
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


def _streams_of(said: Transition) -> Iterable[str]:
    kind = KINDS.get(type(said.fact), "job")
    yield f"{kind}:{said.job}"
    if kind == "owner":
        return
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
