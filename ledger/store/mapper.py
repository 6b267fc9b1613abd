"""An event as a row, and back: the exact bytes are JSON in UTF-8, and only topics in the closed table are read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ledger.domain.commands import ENVELOPE, malformed
from ledger.domain.events import FACTS_BY_TOPIC, Event, Fact, RecordedEvent
from ledger.domain.values import join_json, parse_time, print_time
from ledger.errors import IntegrityFailure, SchemaTooNew

_SAID_OF = Event._fields[5:]  # what an event may say beside its fact


class Row(NamedTuple):
    """An event as it is stored, without what the database adds."""

    stream: str
    version: int
    topic: str
    state: bytes


def write_row(event: Event) -> Row:
    """The row of an event; the bytes are the same for the same event."""
    said: dict[str, Any] = {"id": event.id, "at": print_time(event.occurred_at)}
    said |= {name: value for name, value in zip(_SAID_OF, event[5:], strict=True) if value is not None}
    return Row(event.stream, event.version, type(event.fact).topic, join_json(to_json(said), event.fact.text))


def read_event(stream: str, version: int, topic: str, state: bytes) -> Event:
    """The event of a row; raises `SchemaTooNew` and `IntegrityFailure`, and imports nothing."""
    fact = fact_of(stream, version, topic)
    try:
        said = from_json(state)
        body = {key: value for key, value in said.items() if key not in ENVELOPE}
        return Event(
            id=said["id"],
            job=stream.partition(":")[2],
            version=version,
            occurred_at=parse_time(said["at"]),
            fact=fact.model_validate(body),
            **{name: said.get(name) for name in _SAID_OF},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = malformed(error) if isinstance(error, ValidationError) else error
        raise not_its_bytes(stream, version, fact.name, str(why)) from None


def fact_of(stream: str, version: int, topic: str) -> type[Fact]:
    """The kind of fact that is stored under a topic; raises `SchemaTooNew` for one that is not known."""
    fact = FACTS_BY_TOPIC.get(topic)
    if fact is None:
        raise SchemaTooNew(
            f"An event must have a topic that this release knows, and {stream} version {version} has {topic[:80]!r}.",
            found=topic,
            known=sorted(FACTS_BY_TOPIC),
        )
    return fact


def not_its_bytes(stream: str, version: int, name: str, why: str) -> IntegrityFailure:
    """The error for a row whose bytes cannot be those of the fact that its topic names."""
    return IntegrityFailure(
        f"The bytes of {stream} version {version} are not those of a {name}: {why}", stream=stream, version=version
    )


def read_recorded(row: Mapping[str, Any]) -> RecordedEvent:
    """The recorded event of a row in the library's columns, with `recorded_at`."""
    event = read_event(row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"]))
    recorded_at = cast("datetime", row["recorded_at"])
    return RecordedEvent(event=event, position=row["notification_id"], recorded_at=recorded_at)
