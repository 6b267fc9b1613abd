"""Who holds what the plans and attaches of one append ask for, under the lock and as its decisions leave it.

Of an entity with a few holders all are read, in the round trip that reads the streams. Of a crowd only what a refusal
names is read, the oldest, and the rest are counted: thousands of holders must not make every plan beside them slow.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple

from ledger.appending.shelf import Streams
from ledger.domain.admission import Demand, Held, Holder
from ledger.domain.commands import print_fact
from ledger.domain.entities import AGAINST, Access
from ledger.domain.events import Attached, Detached, Event, Limit, Planned, Progressed
from ledger.domain.facts import named
from ledger.domain.job import Job
from ledger.domain.progress import advance
from ledger.store.views import Asked, Counted, Crowd, Session, Views

OF_HOLDERS = frozenset({Planned, Attached, Detached, Progressed})  # the facts that change who holds what, or how far
FEW_MAX = 16  # of one entity, with one access; one job may count several times

Place = tuple[str, str]  # an entity: its type and id


class _Known(NamedTuple):
    """What was told of a crowd, and how many jobs the append had read by then."""

    held: Held
    read: int


class Holdings:
    """Reads holders, and tells them as the append has left them so far: `streams` are those that it knows."""

    def __init__(self, session: Session, views: Views, streams: Streams) -> None:
        self._session = session
        self._views = views
        self._streams = streams
        self._few: dict[Demand, list[Holder] | None] = {}  # None of a crowd
        self._present: dict[Counted, list[Holder] | None] = {}
        self._crowds: dict[Crowd, _Known] = {}
        self._asking: dict[tuple[str, str, Access], list[Event]] = {}
        self._let_go: dict[Place, set[str]] = {}
        self._progress: dict[str, list[dict[str, Any]]] = {}

    def ask(self, demands: Collection[Demand]) -> Asked[None]:
        """Ask who stands against demands, where those are few."""
        asked = self._views.holders(self._session, demands, FEW_MAX + 1)

        def read() -> None:
            found = asked()
            self._few.update((demand, _few(found.get(demand, ()))) for demand in demands)

        return read

    def ask_present(self, limits: Iterable[Limit]) -> Asked[None]:
        """Ask who counts against limits, where few hold their entities."""
        counted = [*dict.fromkeys(limit.counted for limit in limits)]
        asked = self._views.present(self._session, counted, FEW_MAX + 1)

        def read() -> None:
            found = asked()
            for each in counted:
                held = _few(found.get(each, ()))
                self._present[each] = held and [holder for holder in held if holder.job_type == each[0]]

        return read

    def take(self, event: Event) -> None:
        """Take in an event of a job that says what it touches, or how far it is."""
        fact = event.fact
        if type(fact) is Planned or type(fact) is Attached:
            for entity in fact.entities:
                self._asking.setdefault((entity.type, entity.id, entity.access), []).append(event)
        elif type(fact) is Detached:
            for release in fact.entities:
                self._let_go.setdefault((release.type, release.id), set()).add(event.job)
        elif type(fact) is Progressed:
            self._progress.setdefault(event.job, []).append(print_fact(fact))

    def job(self, job: str) -> Job | None:
        """The state of a job."""
        return self._streams.job(job)

    def against(self, demands: Sequence[Demand], root: str | None) -> Held:
        """Who stands against these demands; of a crowd the oldest, and none of the tree of this root."""
        unasked = [demand for demand in demands if demand not in self._few]
        if unasked:
            self.ask(unasked)()
        strongest = {(demand.type, demand.id): demand for demand in sorted(demands, reverse=True)}
        found: list[Holder] = []
        more = 0
        for demand in strongest.values():
            few, against = self._few[demand], AGAINST[demand.access]
            held = Held(few) if few is not None else self._crowd(Crowd(demand.type, demand.id, against, root or ""))
            found += [*held.shown, *self._asked_here(demand.type, demand.id, against)]
            more += held.more
        return Held([self._as_told(holder) for holder in found if self._still_holds(holder)], more)

    def present(self, limit: Limit) -> Held:
        """Who counts against a limit, each job once; of a crowd the oldest."""
        if limit.counted not in self._present:
            self.ask_present([limit])()
        few = self._present[limit.counted]
        entity = limit.entity
        held = Held(few) if few is not None else self._crowd(Crowd(entity.type, entity.id, _ALL, "", limit.type))
        found = {holder.job: holder for holder in held.shown if self._still_holds(holder)}
        for holder in self._asked_here(entity.type, entity.id, _ALL):
            if holder.job_type == limit.type and self._still_holds(holder):
                found.setdefault(holder.job, holder)
        return Held([self._as_told(holder) for holder in found.values()], held.more)

    def _crowd(self, crowd: Crowd) -> Held:
        known = self._crowds.get(crowd)
        if known is None or known.read != self._streams.read:
            held = self._views.crowd(self._session, crowd, self._spoken_of_on((crowd.type, crowd.id)))
            known = self._crowds[crowd] = _Known(held, self._streams.read)
        return known.held

    def _spoken_of_on(self, place: Place) -> list[str]:
        """The jobs on an entity of which this append knows more than the views."""
        here = (job.id for job in self._streams.jobs() if any((it.type, it.id) == place for it in job.entities))
        return sorted({*here, *self._let_go.get(place, ())})

    def _asked_here(self, entity_type: str, entity_id: str, accesses: Sequence[Access]) -> Iterator[Holder]:
        """Who has begun in this append to hold an entity, with one of these accesses."""
        for access in accesses:
            for event in self._asking.get((entity_type, entity_id, access), ()):
                job = self._streams.job(event.job)
                if job is not None:
                    yield Holder(
                        job.id, job.type, job.root, entity_type, entity_id, access, event.occurred_at, job.owner
                    )

    def _as_told(self, holder: Holder) -> Holder:
        """A holder with what this append itself has told of it."""
        told = self._progress.get(holder.job)
        return replace(holder, progress=reduce(advance, told, holder.progress)) if told else holder

    def _still_holds(self, holder: Holder) -> bool:
        job = self._streams.job(holder.job)
        if job is None:
            return True
        held = ((entity.type, entity.id, entity.access) for entity in job.entities)
        return job.active and (holder.type, holder.id, holder.access) in held


_ALL = tuple(Access)
# Who closes or expires is asked for by its state.
NOT_IN_OF_HOLDERS = named(
    "refused submitted accepted started suspended resumed cancel_requested contact_lost contact_regained closing "
    "adopted succeeded failed cancelled abandoned lost resolved disputed late hold_placed hold_lifted expired"
)


def _few(held: Sequence[Holder]) -> list[Holder] | None:
    """The holders, each once, where none was left out."""
    return [*dict.fromkeys(held)] if len(held) <= FEW_MAX else None
