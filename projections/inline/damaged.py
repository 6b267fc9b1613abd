"""The rows that are no events, or stand out of turn, as the views met them: what `doctor` names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ledger.domain.events import Damaged, RecordedEvent
from ledger.store.views import Session
from projections.statements import INLINE as SQL


class DamagedRow(NamedTuple):
    """A row that is no event where it stands."""

    position: int
    stream: str
    version: int
    topic: str
    why: str


def note_damaged(session: Session, page: Sequence[RecordedEvent], sql: Mapping[str, str]) -> None:
    """Write down which of these rows are none; a second time changes nothing."""
    found = [(entry, fact) for entry in page if type(fact := entry.event.fact) is Damaged]
    if not found:
        return
    parameters: dict[str, Any] = {
        "positions": [entry.position for entry, _ in found],
        "streams": [fact.stream for _, fact in found],
        "versions": [entry.event.version for entry, _ in found],
        "topics": [fact.row_topic for _, fact in found],
        "whys": [fact.why for _, fact in found],
    }
    session.execute(sql["insert_damaged"], parameters)


def damaged_rows(session: Session, limit: int) -> list[DamagedRow]:
    """The first damaged rows by position, as many as are asked for."""
    return [DamagedRow(**row) for row in session.execute(SQL["select_damaged"], {"limit": limit}).fetchall()]
