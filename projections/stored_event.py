"""A recorded event over its stored row: what it says is read as JSON at once, its fact is checked only where asked for.

A view that is filled from what events say, hundreds of thousands of them, would spend most of its time on checks that
every event passed before it was stored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from ledger.domain.events import FACTS_BY_TOPIC, Event, Fact, RecordedEvent
from ledger.domain.values import parse_time
from ledger.errors import IntegrityFailure
from ledger.store.mapper import read_event, write_row

Row = Mapping[str, Any]
Said = Mapping[str, Any]
_keep = object.__setattr__  # the base class is frozen


class StoredEvent(Event):
    """An event as its row has it; `said` is the stored JSON: id, at, who, why, and the fields of the fact."""

    __slots__ = ("_fact", "_row", "job", "name", "said", "stream", "version")
    _fact: Fact | None
    _row: Row
    job: str
    name: str
    said: Said
    stream: str
    version: int

    def __init__(self, row: Row, name: str, said: Said) -> None:
        stream = row["originator_id"]
        _keep(self, "_fact", None)
        _keep(self, "_row", row)
        _keep(self, "job", stream.partition(":")[2])
        _keep(self, "name", name)
        _keep(self, "said", said)
        _keep(self, "stream", stream)
        _keep(self, "version", row["originator_version"])

    @property
    def fact(self) -> Fact:
        """The fact, checked when it is first asked for; raises `IntegrityFailure`."""
        if self._fact is None:
            _keep(self, "_fact", read_event(*_stored(self._row)).fact)
        assert self._fact is not None  # noqa: S101 - read above
        return self._fact

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


def _stored(row: Row) -> tuple[str, int, str, bytes]:
    return row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"])


def read_stored(row: Row) -> RecordedEvent:
    """The recorded event of a row, its fact unread; raises `SchemaTooNew` and `IntegrityFailure`."""
    kind = FACTS_BY_TOPIC.get(row["topic"])
    event: Event
    if kind is None:
        event = read_event(*_stored(row))  # which says what is wrong
    else:
        try:
            event = StoredEvent(row, kind.name, from_json(row["state"]))
        except ValueError as error:
            stream, version = row["originator_id"], row["originator_version"]
            raise IntegrityFailure(
                f"The bytes of {stream} version {version} are not those of a {kind.name}: {error}",
                stream=stream,
                version=version,
            ) from None
    return RecordedEvent(event=event, position=row["notification_id"], recorded_at=row["recorded_at"])


def said_by(event: Event) -> Said:
    """What an event says, as it is stored."""
    return event.said if isinstance(event, StoredEvent) else dict(from_json(write_row(event).state))
