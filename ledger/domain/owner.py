"""The process that answers for jobs, as its own events leave it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ledger.domain.damage import out_of_turn
from ledger.domain.events import Event, Fact, OwnerFenced, OwnerStarted


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner by name: its newest epoch, the id of the event that began it, and the last that may no longer act."""

    name: str
    version: int = 0
    epoch: int = 0
    fenced_through: int = 0
    begun_by: str | None = None
    damaged: str | None = None

    @property
    def newest(self) -> int:
        """The newest epoch that is on record, 0 where there is none; the next one begins above it."""
        return max(self.epoch, self.fenced_through)

    def fences(self, epoch: int) -> bool:
        """Whether what this epoch says comes too late."""
        return epoch < self.epoch or epoch <= self.fenced_through

    def left_behind(self, epoch: int | None) -> bool:
        """Whether nobody answers any more for what this epoch began; one without a number came before the first."""
        return self.fences(epoch) if epoch else self.newest > 0


def owner_after(event: Event) -> Owner:
    """The owner as its newest event alone leaves it: who starts or is fenced is above whatever was before."""
    return evolve_owner(Owner(event.job, version=event.version - 1), event)


def evolve_owner(owner: Owner, event: Event) -> Owner:
    """The owner after an event of its stream."""
    why = owner.damaged or out_of_turn(owner.version, event)
    if why is not None:
        return replace(owner, version=event.version, damaged=why)
    raised = _RAISED[type(event.fact)]
    epoch = max(getattr(owner, raised), event.epoch or 0)
    begun_by = event.id if type(event.fact) is OwnerStarted else owner.begun_by
    return replace(owner, **{"version": event.version, "begun_by": begun_by, raised: epoch})


_RAISED: Mapping[type[Fact], str] = {OwnerStarted: "epoch", OwnerFenced: "fenced_through"}
