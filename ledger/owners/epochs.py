"""Owners and their epochs: each start is a new one and fences those before it, whatever process bears the name."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial, reduce
from typing import NamedTuple

from ledger.asking.answers import Beats, Leases, OwnerState, OwnerView, Queries
from ledger.domain.decisions import Disposition
from ledger.domain.epoch import EpochStart, Lease, OwnerEpoch
from ledger.domain.events import Damaged, Event
from ledger.domain.owner import Owner, evolve_owner, owner_after
from ledger.domain.receipt import Receipt
from ledger.errors import OutcomeUnknown, OwnerNotFound, StaleEpoch, Unavailable
from ledger.store.feed import Feed

RecordOwner = Callable[[OwnerEpoch], Receipt]
StartedOwner = tuple[EpochStart, Beats, Callable[[], None]]  # which epoch, what keeps its lease, and how it ends


class Census(NamedTuple):
    """Owners as their events leave them, by name, and each epoch that has active jobs or a lease, as it is shown."""

    states: Mapping[str, Owner]
    views: list[OwnerView]


class Owners:
    """What is known of owners, from their events, their leases and their jobs."""

    def __init__(self, feed: Feed, queries: Queries, leases: Leases) -> None:
        self._feed = feed
        self._queries = queries
        self._leases = leases

    def start(self, name: str, lease_seconds: float, tell: RecordOwner) -> StartedOwner:
        """Begin the next epoch and keep its lease; the epoch, what keeps it, and a function that ends the lease.

        `tell` records that the epoch has started. A child that ends it stops keeping it: it is still its parent's.
        """
        epoch = (self.states([name])[name].newest or self._queries.newest_epoch(name) or 0) + 1
        return self._start(partial(self._begin, OwnerEpoch(name, epoch), tell), lease_seconds)

    def _start(self, begin: Callable[[], EpochStart], lease_seconds: float) -> StartedOwner:
        try:
            start = begin()
        except OutcomeUnknown as error:
            raise error.by(partial(self._start, error.again, lease_seconds)) from error
        me = start.of
        try:
            self._leases.renew(start, lease_seconds)
        except Unavailable as error:
            unknown = OutcomeUnknown(f"Epoch {me.epoch} of {me.owner} has begun, and has no lease yet: {error}")
            raise unknown.by(partial(self._start, lambda: start, lease_seconds)) from error

        def beat() -> None:
            self._check_not_fenced(start)
            self._leases.renew(start, lease_seconds)

        beats = self._leases.keep(beat, lease_seconds)

        def close() -> None:
            beats.stop()
            if not beats.inherited:
                self._leases.release(me, start.place)

        return start, beats, close

    def _begin(
        self, me: OwnerEpoch, tell: RecordOwner, say: Callable[[], Receipt] | None = None, sent_as: str | None = None
    ) -> EpochStart:
        """Begin an epoch, or the first one after it that is free; `say` tells it again, as it was sent."""
        try:
            receipt = say() if say else tell(me)
        except StaleEpoch as error:
            return self._begin(me._replace(epoch=error.facts["newest"] + 1), tell)
        except OutcomeUnknown as error:
            raise error.by(partial(self._begin, me, tell, error.again, error.facts["id"])) from error
        if receipt.disposition is Disposition.RECORDED or receipt.position.event_id == sent_as:
            return EpochStart(me, receipt.version, receipt.position)
        return self._begin(me._replace(epoch=me.epoch + 1), tell)  # another process of that name took this one

    def newest(self, name: str) -> int:
        """The newest epoch that started, was fenced, or has jobs, 0 where none was ever said.

        Raises `OwnerNotFound` for a name of which nothing speaks.
        """
        by_events, used = self.states([name])[name].newest, self._queries.newest_epoch(name)
        if not by_events and used is None:
            raise OwnerNotFound(f"No event and no job speaks of owner {name}.", owner=name)
        return max(by_events, used or 0)

    def _check_not_fenced(self, start: EpochStart) -> None:
        me = start.of
        owner = self.states([me.owner])[me.owner]
        # Its own start was the last word of that stream, unless a row that is no event stands behind it.
        if owner.version > start.version and owner.fences(me.epoch):
            raise StaleEpoch(f"Epoch {me.epoch} of {me.owner} is fenced.", **me._asdict(), newest=owner.newest)

    def fence(self, name: str, tell: RecordOwner) -> Receipt:
        """Fence every epoch of an owner so far, and drop its lease; `tell` records it."""
        newest = OwnerEpoch(name, max(self.newest(name), 1))
        receipt = tell(newest)
        self._leases.release(newest, receipt.position)
        return receipt

    def states(self, names: Iterable[str]) -> dict[str, Owner]:
        """What the events say of each owner; one that never started has no epoch."""
        states = {name: Owner(name) for name in names}
        newest = self._feed.newest([f"owner:{name}" for name in states]) if states else ()
        return states | {entry.event.job: self._after(entry.event) for entry in newest}

    def _after(self, newest: Event) -> Owner:
        """The owner as this event leaves it; where the row is no event, as those before it do."""
        if type(newest.fact) is not Damaged:
            return owner_after(newest)
        entries = self._feed.stream(f"owner:{newest.job}")
        return reduce(evolve_owner, (entry.event for entry in entries), Owner(newest.job))

    def views(self) -> list[OwnerView]:
        """Every owner that has active jobs or a lease, each epoch by itself."""
        return self.census(dict(self._queries.owners())).views

    def census(self, jobs: Mapping[OwnerEpoch, int], names: Iterable[str] = ()) -> Census:
        """The owners of these active jobs, so many of each, those that have a lease, and others by their names."""
        leases = {OwnerEpoch(lease.owner, lease.epoch): lease for lease in self._leases.all()}
        there = sorted(jobs.keys() | leases.keys())
        states = self.states({of.owner for of in there}.union(names))
        return Census(states, [_view(of, states[of.owner], leases.get(of), jobs.get(of, 0)) for of in there])


def _view(of: OwnerEpoch, owner: Owner, lease: Lease | None, jobs: int) -> OwnerView:
    state = OwnerState.LAPSED if lease and lease.lapsed else OwnerState.LIVE if lease else OwnerState.UNLEASED
    return OwnerView(
        owner=of.owner,
        epoch=of.epoch or None,
        state=OwnerState.FENCED if owner.left_behind(of.epoch) else state,
        renewed_at=lease.renewed_at if lease else None,
        lease_ends_at=lease.ends_at if lease else None,
        jobs=jobs,
    )
