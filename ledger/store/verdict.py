"""What a judge makes of a transition, under the append lock."""

from typing import NamedTuple

from ledger.admission import Beside
from ledger.domain.decisions import Decision


class Verdict(NamedTuple):
    """A decision with what admission saw: whom an imported transition ran beside, the first of them, and how many."""

    decision: Decision
    overlaps: tuple[Beside, ...] = ()
    overlapping: int = 0
