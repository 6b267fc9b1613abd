"""An event as a row, and back: the exact bytes are JSON in UTF-8, and only topics in the closed table are read."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ledger.domain.commands import ENVELOPE, malformed
from ledger.domain.content import quoted_in
from ledger.domain.events import FACTS_BY_TOPIC, Damaged, Event, Fact, RecordedEvent
from ledger.domain.states import BEGINNING
from ledger.domain.values import POSITION_MAX, PROSE_LENGTH_MAX, check_text, join_json, parse_time, print_time
from ledger.errors import BadInput, IntegrityFailure, MalformedRecord, SchemaTooNew

NAME_LENGTH_MAX = 200  # of a job or an owner
_SAID_OF = Event._fields[5:]  # what an event may say beside its fact
ID_BYTES_MAX = 4_096  # of a stored event, among which the id of any that was recorded is whole
STORED_ID_LENGTH_MAX = 1_024  # a caller's id, with what tells apart the events that follow from it
# What each of these must be, as it was checked when it was recorded: a text of so many characters, or a number.
TEXT_LENGTHS_BESIDE = {
    "id": (1, STORED_ID_LENGTH_MAX),
    "actor": (1, 256),
    "reason": (0, PROSE_LENGTH_MAX),
    "owner": (1, NAME_LENGTH_MAX),
    "raw": (0, PROSE_LENGTH_MAX),
    "traceparent": (1, 256),
}


class Row(NamedTuple):
    """An event as it is stored, without what the database adds."""

    stream: str
    version: int
    topic: str
    state: bytes


def write_row(event: Event) -> Row:
    """The row of an event; the bytes are the same for the same event."""
    fact = event.fact
    beside = {name: value for name, value in zip(_SAID_OF, event[5:], strict=True) if value is not None}
    fields = {"id": event.id, "at": print_time(event.occurred_at), **beside}
    return Row(f"{fact.kind}:{event.job}", event.version, fact.topic, join_json(to_json(fields), fact.text))


def mark_of(event_id: str) -> bytes:
    """What the stored bytes of an event with an id begin with, as `write_row` writes them; of no id, what none do."""
    try:
        return to_json({"id": event_id}).removesuffix(b"}")
    except ValueError:  # half of a surrogate pair, as a caller's place may have it
        return b"\0"


def id_in(state: bytes) -> str | None:
    """The id in the first bytes of a stored event; None where they are those of none."""
    try:
        event_id = from_json(state[:ID_BYTES_MAX], allow_partial="trailing-strings")["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return event_id if isinstance(event_id, str) else None


def read_event(stream: str, version: int, topic: str, state: bytes) -> Event:
    """The event of a row; raises `SchemaTooNew` and `IntegrityFailure`, and imports nothing."""
    fact = fact_of(stream, version, topic)
    try:
        check_name(stream, fact)
        fields = from_json(state)
        check_envelope(fields)
        body = {key: value for key, value in fields.items() if key not in ENVELOPE}
        event = Event(
            id=fields["id"],
            job=stream.partition(":")[2],
            version=version,
            occurred_at=parse_time(fields["at"]),
            fact=fact.model_validate(body),
            **{name: fields.get(name) for name in _SAID_OF},
        )
        quoted_in(event.fact, event.job)  # what it quotes must be readable too
    except (ValueError, KeyError, TypeError, AttributeError, BadInput) as error:
        why = malformed(error) if isinstance(error, ValidationError) else error
        raise not_its_bytes(stream, version, fact.name, str(why)) from None
    return event


def check_envelope(fields: Mapping[str, Any]) -> None:
    """Raise `BadInput` unless what any event may say is such as is recorded; views and questions rely on that."""
    for name, (least, most) in TEXT_LENGTHS_BESIDE.items():
        value = fields.get(name)
        if value is None and name != "id":
            continue
        if type(value) is not str or not least <= len(value) <= most:
            raise MalformedRecord(f"its {name} must be a text of {least:,} to {most:,} characters.")
        check_text(value)
    epoch = fields.get("epoch")
    if epoch is not None and (type(epoch) is not int or not 1 <= epoch <= POSITION_MAX):
        raise MalformedRecord("its epoch must be a whole number from 1 to 2^63.")


def fact_of(stream: str, version: int, topic: str) -> type[Fact]:
    """The kind of fact that is stored under a topic; raises `SchemaTooNew` for one that is not known."""
    fact = FACTS_BY_TOPIC.get(topic)
    if fact is None:
        raise unknown_topic(f"{stream} version {version}", topic)
    return fact


def unknown_topic(where: str, topic: str) -> SchemaTooNew:
    """The error for a topic that this release does not know."""
    return SchemaTooNew(
        f"An event must have a topic that this release knows, and {where} has {topic[:80]!r}.",
        found=topic,
        known=sorted(FACTS_BY_TOPIC),
    )


def check_name(stream: str, fact: type[Fact]) -> None:
    """Raise `MalformedRecord` unless a stream of this name may hold such a fact."""
    kind, _, name = stream.partition(":")
    if kind != fact.kind or not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise MalformedRecord(f"its stream must be named {fact.kind}: and 1 to {NAME_LENGTH_MAX} characters.")


def not_its_bytes(stream: str, version: int, name: str, why: str) -> IntegrityFailure:
    """The error for a row whose bytes cannot be those of the fact that its topic names."""
    return IntegrityFailure(
        f"The bytes of {stream} version {version} are not those of a {name}: {why}", stream=stream, version=version
    )


def read_recorded(row: Mapping[str, Any]) -> RecordedEvent:
    """The recorded event of a row in the library's columns, with `recorded_at`; a `Damaged` one where it is none."""
    stream, version, topic, state = row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"])
    recorded_at = cast("datetime", row["recorded_at"])
    try:
        event = read_event(stream, version, topic, state)
        if version < 1 or (version == 1 and not may_begin(event.fact)):
            raise not_its_bytes(stream, version, "beginning", f"no stream begins with {event.name} {version}.")
    except (IntegrityFailure, SchemaTooNew) as error:
        event = damaged_event(Row(stream, version, topic, state), str(error), recorded_at)
    return RecordedEvent(event=event, position=row["notification_id"], recorded_at=recorded_at)


def may_begin(fact: Fact) -> bool:
    """Whether a stream may begin with a fact."""
    return fact.kind != "job" or fact.name in BEGINNING


def damaged_event(row: Row, why: str, recorded_at: datetime) -> Event:
    """What stands in the place of an event whose row is none; it happened, as far as can be said, when recorded."""
    fact = Damaged.model_construct(stream=row.stream, row_topic=row.topic, row=_text(row.state), why=why)
    return Event(id="", job=row.stream.partition(":")[2], version=row.version, occurred_at=recorded_at, fact=fact)


def _text(state: bytes) -> str:
    return b64encode(state).decode()
