"""Whether bytes are an event's, seen in a glance: one pattern a fact, made of what the fact's class asks of its fields.

It allows only what `read_event` reads, in the form that `write_row` gives it, and less than that: no escapes, no
exponents, no JSON that is nested deep, one entity, nothing that quotes. What it does not allow has to be read. The next
character decides each choice, so that no bytes take longer than they are long.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ledger.domain.entities import distinct
from ledger.domain.events import Event, Fact, Progressed, error_within_a_payload
from ledger.domain.facts import named
from ledger.domain.values import (
    PAYLOAD_BYTES_MAX,
    TEXT_LENGTHS,
    count,
    depth,
    finite,
    parse_time,
    payload,
    payload_object,
)
from ledger.store.mapper import TEXT_LENGTHS_BESIDE

# No possessive quantifier, which Python before 3.11.5 lets match what it must not (python/cpython#106052).
_NOTHING = "(?!)"
_AFTER_FIELD = r'(?:,(?=")|(?=\}))'
_MONTH_AND_DAY = "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_HOURS = r"(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:\.[0-9]{1,6})?"
_TIME = rf'"(?:19[7-9][0-9]|[2-9][0-9]{{3}})-{_MONTH_AND_DAY}T{_HOURS}Z"'
_WHOLE = "(?:0|[1-9][0-9]{0,17})"
_NUMBER = rf"{_WHOLE}(?:\.[0-9]{{1,18}})?"
# What a fact asks beside its fields: here to say something, and 100 per cent at most.
_ASKED: Mapping[type[Fact], str] = {
    Progressed: r'(?=.*"(?:percent|done|total|message)":)(?!.*"percent":(?!100[,}]|[0-9]{1,2}[.,}]))'
}
_NOT_IN_ASKED = named(
    "planned refused submitted accepted started suspended resumed cancel_requested attached detached contact_lost "
    "contact_regained closing adopted succeeded failed cancelled abandoned lost resolved disputed late hold_placed "
    "hold_lifted expired owner_started owner_fenced break_accepted loss_accepted"
)


def _text(least: int, most: int | str) -> str:
    return rf'"[^"\\\x00-\x1f]{{{least},{most}}}"'


def _list(item: str, often: str = "*") -> str:
    return rf"\[(?:{item}(?:,(?!\])|(?=\]))){often}\]"


def _json(depth: int) -> tuple[str, str]:
    """The patterns of a JSON value and of an object that are nested so deep at most."""
    if depth == 0:
        return f"(?:{_text(0, '')}|-?{_NUMBER}|true|false|null)", r"\{\}"
    inner, _ = _json(depth - 1)
    object_ = rf"\{{(?:{_text(0, '')}:{inner}{_AFTER_FIELD})*\}}"
    return f"(?:{object_}|{_list(inner)}|{_json(0)[0]})", object_


_JSON, _OBJECT = _json(3)
_CHECKS: Mapping[Any, str] = {
    parse_time: _TIME,
    finite: _NUMBER,
    count: _WHOLE,
    depth: "[1-9][0-9]{0,8}",
    payload: _JSON,
    payload_object: _OBJECT,
    **{check: _text(*lengths) for check, lengths in TEXT_LENGTHS.items()},
}
_ENVELOPE = {
    name: _text(*TEXT_LENGTHS_BESIDE[name]) if name in TEXT_LENGTHS_BESIDE else "[1-9][0-9]{0,17}"
    for name in Event._fields[5:]
}


def is_event(fact: type[Fact], state: bytes) -> bool:
    """Whether bytes are seen to be those of such a fact; others may be so too."""
    try:
        return len(state) <= PAYLOAD_BYTES_MAX and _pattern(fact).fullmatch(state.decode()) is not None
    except UnicodeDecodeError:
        return False


@cache
def _pattern(fact: type[Fact]) -> re.Pattern[str]:
    schema: Any = fact.__pydantic_core_schema__
    asked = ""
    if schema["type"] == "function-after":
        asked, schema = _ASKED.get(fact, _NOTHING), schema["schema"]
    envelope = _field("id", _text(*TEXT_LENGTHS_BESIDE["id"])) + _field("at", _TIME)
    envelope += "".join(f"(?:{_field(name, value)})?" for name, value in _ENVELOPE.items())
    return re.compile(rf"{asked}\{{{envelope}{_fields(schema['schema'])}\}}")


def _field(name: str, value: str) -> str:
    return f'"{name}":{value}{_AFTER_FIELD}'


def _fields(schema: Any) -> str:
    """The fields of a class in their order; those that have a default may be left out."""
    parts = ((field["schema"], _field(name, _value(field["schema"]))) for name, field in schema["fields"].items())
    return "".join(f"(?:{part})?" if field["type"] == "default" else part for field, part in parts)


def _value(schema: Any) -> str:  # noqa: PLR0911 - one answer for each kind of schema
    """The pattern of a value by its schema; that which nothing matches where the schema asks for what is not known."""
    match schema["type"]:
        case "default" | "nullable":
            return _value(schema["schema"])
        case "function-before" | "function-after":
            return _checked(schema, schema["function"]["function"])
        case "model":
            return rf"\{{{_fields(schema['schema'])}\}}"
        case "tuple":
            return _list(_value(schema["items_schema"][0]))
        case "list":
            return _list(_value(schema["items_schema"]))
        case "enum" | "literal":
            return f'"(?:{"|".join(schema.get("members") or schema["expected"])})"'
        case "bool":
            return "(?:true|false)"
    return _NOTHING


def _checked(schema: Any, check: Any) -> str:
    if check is error_within_a_payload:  # which a row within the limits of one cannot exceed
        return _value(schema["schema"])
    if check is distinct:
        return _list(_value(schema["schema"]["items_schema"][0]), often="?")
    return _CHECKS.get(check, _NOTHING)
