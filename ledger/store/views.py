"""What the store asks of views: to be told of every event in its append, and to say what runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from psycopg import Cursor

from ledger.admission import Demand, Holder
from ledger.domain.events import Limit, RecordedEvent
from ledger.domain.quorum import Child


class Views(Protocol):
    """The inline views, inside the append's own transaction and under its lock."""

    def catch_up(self, cursor: Cursor[Any], head: int) -> None:
        """Bring every view to `head`; raises `ViewBehind` where that would take too long."""

    def apply(self, cursor: Cursor[Any], events: Sequence[RecordedEvent]) -> None:
        """Project the events of this append."""

    def children(self, cursor: Cursor[Any], parents: Iterable[str]) -> Mapping[str, list[Child]]:
        """The children of each parent in the order of planning."""

    def descendants(self, cursor: Cursor[Any], job: str) -> list[str]:
        """The jobs below a job, parents first."""

    def bound(self, cursor: Cursor[Any], names: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The job of each (executor, external id) that is bound."""

    def holders(self, cursor: Cursor[Any], demands: Iterable[Demand]) -> list[Holder]:
        """The active jobs that stand against a demand, their own tree included."""

    def present(self, cursor: Cursor[Any], limits: Iterable[Limit]) -> list[Holder]:
        """The active jobs that count against limits, whatever their access."""
