"""A recorded event over its stored row: what it says is read as JSON, and no fact is checked.

A view that is filled from what events say, hundreds of thousands of them, would spend most of its time on checks that
every event passed before it was stored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json

from ledger.domain.values import parse_time
from ledger.store.mapper import fact_of, not_its_bytes

Row = Mapping[str, Any]
Said = Mapping[str, Any]


class StoredEvent:
    """An event as its row has it; `said` is the stored JSON: id, at, who, why, and the fields of the fact."""

    __slots__ = ("job", "name", "said", "stream", "version")

    def __init__(self, row: Row, name: str) -> None:
        self.stream: str = row["originator_id"]
        self.job = self.stream.partition(":")[2]
        self.version: int = row["originator_version"]
        self.name = name
        self.said: Said = from_json(row["state"])

    @property
    def id(self) -> str:
        """The id of the event."""
        return str(self.said["id"])

    @property
    def occurred_at(self) -> datetime:
        """When it happened, by the caller's clock."""
        return parse_time(self.said["at"])

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


def read_stored(row: Row) -> StoredEntry:
    """The entry of a row, its fact unread; raises `SchemaTooNew` and `IntegrityFailure`."""
    stream, version, topic = row["originator_id"], row["originator_version"], row["topic"]
    kind = fact_of(stream, version, topic)
    try:
        event = StoredEvent(row, kind.name)
    except ValueError as error:
        raise not_its_bytes(stream, version, kind.name, str(error)) from None
    return StoredEntry(event, row["notification_id"], row["recorded_at"])
