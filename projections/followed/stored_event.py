"""A recorded event over its stored row: what it says is read as JSON, and no fact is checked.

A view that is filled from what events say, hundreds of thousands of them, would spend most of its time on checks that
every event passed before it was stored.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json

from ledger.domain.events import Damaged, RecordedEvent
from ledger.domain.values import parse_time, print_time
from ledger.errors import BadInput
from ledger.store.mapper import check_envelope, fact_of, not_its_bytes
from ledger.store.reading import read_in_turn
from ledger.store.views import Session

StoredRow = Mapping[str, Any]
EventFields = Mapping[str, Any]


class StoredEvent:
    """An event as its row has it; `said` is the stored JSON: id, at, who, why, and the fields of the fact."""

    __slots__ = ("at", "job", "name", "said", "stream", "version")

    def __init__(self, row: StoredRow, name: str, said: EventFields, at: datetime | None = None) -> None:
        self.at = at  # where the row does not say it
        self.stream: str = row["originator_id"]
        self.job = self.stream.partition(":")[2]
        self.version: int = row["originator_version"]
        self.name = name
        self.said = said

    @property
    def id(self) -> str:
        """The id of the event."""
        return str(self.said.get("id", ""))

    @property
    def occurred_at(self) -> datetime:
        """When it happened, by the caller's clock."""
        return self.at or parse_time(self.said["at"])

    @property
    def actor(self) -> str | None:
        """Who caused it."""
        return self.said.get("actor")

    @property
    def reason(self) -> str | None:
        """Why, in their words."""
        return self.said.get("reason")

    @property
    def owner(self) -> str | None:
        """The owner who told it."""
        return self.said.get("owner")

    @property
    def epoch(self) -> int | None:
        """The epoch of that owner."""
        return self.said.get("epoch")

    @property
    def raw(self) -> str | None:
        """The executor's own word."""
        return self.said.get("raw")

    @property
    def traceparent(self) -> str | None:
        """The trace that it belongs to."""
        return self.said.get("traceparent")


class StoredEntry(NamedTuple):
    """A stored event in its place in the ledger."""

    event: StoredEvent
    position: int
    recorded_at: datetime


def read_stored(row: StoredRow) -> StoredEntry:
    """The entry of a row, its fact unread; raises `SchemaTooNew` and `IntegrityFailure`."""
    stream, version, topic = row["originator_id"], row["originator_version"], row["topic"]
    kind = fact_of(stream, version, topic)
    try:
        said = from_json(row["state"])
        check_envelope(said)
        event = StoredEvent(row, kind.name, said)
    except (ValueError, AttributeError, BadInput) as error:
        raise not_its_bytes(stream, version, kind.name, str(error)) from None
    return StoredEntry(event, row["notification_id"], row["recorded_at"])


def read_checked(session: Session, rows: Sequence[StoredRow]) -> list[StoredEntry]:
    """The entries of rows that say whether they stand `in_turn`, facts checked; a `damaged` one where one is none."""
    return [_checked(row, entry) for row, entry in zip(rows, read_in_turn(session, rows), strict=True)]


def _checked(row: StoredRow, entry: RecordedEvent) -> StoredEntry:
    if type(entry.event.fact) is not Damaged:
        return read_stored(row)
    at = entry.recorded_at
    said = {"at": print_time(at), "why": entry.event.fact.why}
    return StoredEntry(StoredEvent(row, Damaged.name, said, at), entry.position, at)
