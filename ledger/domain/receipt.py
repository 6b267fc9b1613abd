"""What whoever tells the ledger of a transition hears back."""

from typing import NamedTuple

from ledger.domain.admission import Beside
from ledger.domain.cursor import Cursor
from ledger.domain.draft import Disposition


class Receipt(NamedTuple):
    """What became of a transition, and where the answer stands.

    `overlaps` tells whom an imported one ran beside, a hundred at most, and `overlapping` how many they are.
    """

    disposition: Disposition
    job: str
    version: int
    position: Cursor
    overlaps: tuple[Beside, ...] = ()
    events: int = 0
    overlapping: int = 0
