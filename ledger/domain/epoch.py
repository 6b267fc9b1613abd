"""One life of a process that answers for jobs, and how long its word that it lives is good for."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ledger.domain.cursor import Cursor


class OwnerEpoch(NamedTuple):
    """An owner in one of its epochs: one life of a process, however often its name comes back."""

    owner: str
    epoch: int

    def __str__(self) -> str:
        return f"{self.owner}, epoch {self.epoch}"


class EpochStart(NamedTuple):
    """An epoch by the event that it started with, since a ledger that went back gives the same number once more."""

    of: OwnerEpoch
    version: int
    place: Cursor


@dataclass(frozen=True, slots=True)
class Lease:
    """How long an owner's word that it lives is good for, by the database's clock."""

    owner: str
    epoch: int
    renewed_at: datetime
    ends_at: datetime
    lapsed: bool
