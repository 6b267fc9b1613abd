"""What a projection is: a name, a version, and a fold of events into tables of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ledger.domain.events import Event, RecordedEvent
from ledger.store.statements import load_statements
from ledger.store.views import Session

SQL = load_statements("projections")


class Projection(Protocol):
    """Fills the tables of one view from events alone, in order, in whichever schema the search path names first."""

    @property
    def name(self) -> str:
        """The name of the view."""

    @property
    def version(self) -> int:
        """Grows with each change of what the view says; another version on record means a rebuild."""

    @property
    def tables(self) -> Mapping[str, str]:
        """The tables that it fills, each with the columns of its key."""

    def prepare(self, session: Session, events: Sequence[Event]) -> Callable[[Sequence[RecordedEvent]], None]:
        """Ask for the rows that these events will change; what is returned takes them in, once they are placed.

        They follow those taken in before; a second time must not happen.
        """
