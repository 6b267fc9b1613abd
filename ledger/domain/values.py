"""The smallest values of the vocabulary: names, prose, times and JSON, each with its bounds."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StrictInt
from pydantic_core import from_json, to_json

from ledger.errors import (
    EntityIdTooLong,
    HostileText,
    JobIdTooLong,
    LimitExceeded,
    MalformedRecord,
    NameTooLong,
    NotFinite,
    PayloadTooDeep,
    PayloadTooLarge,
    TextTooLong,
    TimeOutOfRange,
)

PAYLOAD_BYTES_MAX = 64 * 1024
PAYLOAD_DEPTH_MAX = 32
RECORD_DEPTH_MAX = 3 * PAYLOAD_DEPTH_MAX  # a tree 16 deep, two levels each, and a payload in it
PROSE_LENGTH_MAX = 64 * 1024
INTEGER_DIGITS_MAX = 4_300
INTEGER_MAX = 10**INTEGER_DIGITS_MAX - 1
LINE_BYTES_MAX = 64 * 1024 * 1024  # of a file of records
YEAR_MIN = 1970
DEPTH_MAX = (1 << 31) - 1  # what integer holds
POSITION_MAX = (1 << 63) - 1  # what bigint holds
SECONDS_MAX = 100 * 366 * 86_400  # a hundred years

# RFC 3339, section 5.6, down to the microsecond that PostgreSQL keeps.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Frozen(BaseModel):
    """A value that never changes and has no field that its class does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


def check_text(text: str) -> str:
    """The text itself; raises `HostileText` where it holds NUL or half of a surrogate pair."""
    if "\0" in text:
        raise HostileText("A text must not hold the character NUL.")
    if not text.isascii() and _SURROGATE.search(text):
        raise HostileText("A text must be Unicode, and this one holds half of a surrogate pair.")
    return text


TEXT_LENGTHS: dict[Callable[[Any], str], tuple[int, int]] = {}  # at least and at most, by the check of a text


def _bounded(what: str, limit: int, error: type[LimitExceeded], least: int = 1) -> Callable[[Any], str]:
    def check(text: object) -> str:
        if not isinstance(text, str):
            raise MalformedRecord(f"{what} must be text, not {type(text).__name__}.")
        if not least <= len(text) <= limit:
            raise error(
                f"{what} must have {least:,} to {limit:,} characters, and this has {len(text):,}.",
                limit=limit,
                found=len(text),
            )
        return text if text.isascii() and "\0" not in text else check_text(text)

    TEXT_LENGTHS[check] = least, limit
    return check


def parse_time(value: object) -> datetime:
    """A moment in UTC from RFC 3339 text or an aware datetime.

    Raises `TimeOutOfRange` outside the years 1970 to 9999 or without a zone, `MalformedRecord` for any other text.
    """
    if isinstance(value, str):
        if not _RFC3339.fullmatch(value):
            raise MalformedRecord(f"A time must read like 2017-05-16T00:00:31.092Z, and this reads {value[:40]!r}.")
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise TimeOutOfRange(f"There is no such time as {value!r}: {error}.") from None
    if not isinstance(value, datetime):
        raise MalformedRecord(f"A time must be text, not {type(value).__name__}.")
    if value.tzinfo is None:
        raise TimeOutOfRange("A time must say its zone, and this one does not.")
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise TimeOutOfRange(f"A time must lie between the years 1970 and 9999, not at {value}.") from None
    if moment.year < YEAR_MIN:
        raise TimeOutOfRange(f"A time must lie between the years 1970 and 9999, not at {value}.")
    return moment


@lru_cache(maxsize=1_024)
def print_time(moment: datetime) -> str:
    """RFC 3339 in UTC, as short as it goes without loss."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat()[:-6] + "Z"


def clean_json(value: object, depth_left: int = PAYLOAD_DEPTH_MAX) -> Any:
    """A copy of a JSON value, in dicts and lists; raises where JSON or the limits do not allow it."""
    if isinstance(value, str):
        return check_text(value)
    if value is None or isinstance(value, bool | int):
        if value and not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise too_many_digits()
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotFinite("A number must be finite, and this is NaN or infinity.")
        return value
    if depth_left == 0:
        raise too_deep()
    if isinstance(value, dict):
        return {_key(key): clean_json(item, depth_left - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item, depth_left - 1) for item in value]
    raise MalformedRecord(f"JSON has no place for a {type(value).__name__}.")


def too_deep() -> PayloadTooDeep:
    """The error for JSON that is nested too deep."""
    return PayloadTooDeep(f"JSON must be nested {PAYLOAD_DEPTH_MAX} deep at most.", limit=PAYLOAD_DEPTH_MAX)


def too_many_digits() -> PayloadTooLarge:
    """The error for an integer that is too long."""
    return PayloadTooLarge(f"An integer must have {INTEGER_DIGITS_MAX:,} digits at most.", limit=INTEGER_DIGITS_MAX)


def ordered(value: Any) -> Any:
    """A JSON value with the keys of its objects in order."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def join_json(first: bytes, second: bytes) -> bytes:
    """The text of a JSON object that has the fields of two, which have no name in common."""
    return first if second == b"{}" else second if first == b"{}" else first[:-1] + b"," + second[1:]


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise MalformedRecord(f"The keys of JSON must be text, not {type(key).__name__}.")
    return check_text(key)


def payload(value: object) -> Any:
    """A copy of a JSON value within the limits of a payload."""
    copy, size = _plain_copy(value) or _clean_copy(value)
    if size > PAYLOAD_BYTES_MAX:
        raise PayloadTooLarge(
            f"A payload must have {PAYLOAD_BYTES_MAX:,} bytes of JSON at most, and this has {size:,}.",
            limit=PAYLOAD_BYTES_MAX,
            found=size,
        )
    return copy


def _clean_copy(value: object) -> tuple[Any, int]:
    copy = clean_json(value)
    return copy, len(to_json(copy))


def _plain_copy(value: object) -> tuple[Any, int] | None:
    """A copy by way of its text, in a fraction of the time, and how long that is; None where it may not be clean."""
    try:
        text = to_json(value)
        copy = from_json(text, allow_inf_nan=False)
    except (ValueError, RecursionError):
        return None
    shallow = text.count(b"{") + text.count(b"[") <= PAYLOAD_DEPTH_MAX
    return (copy, len(text)) if shallow and copy == value and b"\\u0000" not in text else None


def _record(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedRecord(f"A record within a record must be a JSON object, not {type(value).__name__}.")
    return dict(clean_json(value, RECORD_DEPTH_MAX))


def payload_object(value: object) -> dict[str, Any]:
    """A JSON object within the limits of a payload."""
    if not isinstance(value, dict):
        raise MalformedRecord(f"Params must be a JSON object, not {type(value).__name__}.")
    return dict(payload(value))


def depth(number: int) -> int:
    """How deep a job stands in its tree, 1 at the top; what planning allows is far less."""
    if not 1 <= number <= DEPTH_MAX:
        raise MalformedRecord(f"A depth must be a whole number from 1 to {DEPTH_MAX:,}, and this is not.")
    return number


def count(number: int) -> int:
    """A whole number from 0."""
    return _whole("A count", number, least=0)


JobId = Annotated[str, BeforeValidator(_bounded("A job id", 200, JobIdTooLong))]
TypeName = Annotated[str, BeforeValidator(_bounded("A type", 64, NameTooLong))]
RoleName = Annotated[str, BeforeValidator(_bounded("A role", 64, NameTooLong))]
EntityId = Annotated[str, BeforeValidator(_bounded("An entity id", 256, EntityIdTooLong))]
EventId = Annotated[str, BeforeValidator(_bounded("An event id", 256, TextTooLong))]
ActorName = Annotated[str, BeforeValidator(_bounded("An actor", 256, TextTooLong))]
ExecutorName = Annotated[str, BeforeValidator(_bounded("An executor", 256, TextTooLong))]
ExternalId = Annotated[str, BeforeValidator(_bounded("An external id", 256, TextTooLong))]
Token = Annotated[str, BeforeValidator(_bounded("A token", 256, TextTooLong))]
OwnerName = Annotated[str, BeforeValidator(_bounded("An owner", 200, TextTooLong))]
TraceParent = Annotated[str, BeforeValidator(_bounded("A traceparent", 256, TextTooLong))]
Prose = Annotated[str, BeforeValidator(_bounded("A text", PROSE_LENGTH_MAX, TextTooLong, least=0))]
Epoch = Annotated[StrictInt, AfterValidator(lambda epoch: _whole("An epoch", epoch, least=1))]
Count = Annotated[StrictInt, AfterValidator(count)]
Depth = Annotated[StrictInt, AfterValidator(depth)]
Moment = Annotated[datetime, BeforeValidator(parse_time)]
Json = Annotated[Any, BeforeValidator(payload)]
JsonRecord = Annotated[dict[str, Any], BeforeValidator(_record)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(payload_object)]


def _whole(what: str, number: int, least: int) -> int:
    if not least <= number < 1 << 63:
        raise MalformedRecord(f"{what} must be a whole number from {least} to 2^63, and this is not.")
    return number


def finite(number: object) -> Any:
    """A number of progress: an integer or a finite float from 0, below 2^63."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise MalformedRecord(f"Progress must be a number, not {type(number).__name__}.")
    if isinstance(number, float) and not math.isfinite(number):
        raise NotFinite("A number must be finite, and this is NaN or infinity.")
    if not 0 <= number < 1 << 63:
        raise MalformedRecord("Progress must lie between 0 and 2^63, and this does not.")
    return number


Quantity = Annotated[int | float, BeforeValidator(finite)]
