"""What is asked of the ledger: a transition, in Python and as the JSON record in which it enters and leaves."""

import codecs
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ledger.domain.events import (
    FACTS_BY_NAME,
    LEDGER_FACTS,
    OWNER_FACTS,
    BreakAccepted,
    Damaged,
    Event,
    Fact,
    Planned,
    Terms,
)
from ledger.domain.values import (
    ActorName,
    Epoch,
    EventId,
    Frozen,
    JobId,
    Moment,
    OwnerName,
    Prose,
    TraceParent,
    print_time,
    too_deep,
    too_many_digits,
)
from ledger.errors import BadInput, HostileText, MalformedRecord, NotFinite, TooManyChildren, TreeTooDeep

CHILDREN_MAX = 10_000
TREE_DEPTH_MAX = 16
LIGHT_MAX = 250  # values of a light record
TEXT_OF_ONE_VALUE = 64  # characters, or bytes, that take as long to read as a value


class Plan(Terms):
    """A plan of a job and of the children to be planned in the same append."""

    name, topic = Planned.name, Planned.topic
    job: JobId
    actor: ActorName | None = None
    reason: Prose | None = None
    children: tuple["Plan", ...] = ()

    @cached_property
    def alone(self) -> Planned:
        """The fact that it was planned, where it has no parent."""
        return planned(self, self.job, 1, None)

    @property
    def parts(self) -> tuple["Plan", ...]:
        """The plan itself, then those below it, each parent before its children."""
        return (self, *(part for child in self.children for part in child.parts)) if self.children else (self,)


class Envelope(Frozen):
    """What every transition may say beside its fact."""

    job: JobId | None = None
    id: EventId | None = None
    at: Moment | None = None
    actor: ActorName | None = None
    reason: Prose | None = None
    owner: OwnerName | None = None
    epoch: Epoch | None = None
    raw: Prose | None = None
    traceparent: TraceParent | None = None


ENVELOPE = frozenset(Envelope.model_fields)
_BESIDE_A_PLAN = ENVELOPE - {"job"}  # which names its own


class Transition(NamedTuple):
    """A request to record that something became true of a job; `at` is now, and `id` is chosen, where none is given.

    `job` is the owner's name in the transitions of owners, and the ledger's UUID in those of the ledger itself.
    `begun_by` is the id of the event that began the epoch, where whoever speaks in it has begun it.
    """

    job: str
    fact: Fact
    at: datetime | None = None
    id: str | None = None
    actor: str | None = None
    reason: str | None = None
    owner: str | None = None
    epoch: int | None = None
    raw: str | None = None
    traceparent: str | None = None
    begun_by: str | None = None


def parse_transition(record: object, new_id: Callable[[], str]) -> Transition:
    """The transition that a record (JSON text, bytes, or the parsed object) asks for.

    Raises `BadInput`: `MalformedRecord`, or the limit that is exceeded. `new_id` names jobs planned without an id.
    """
    fields = parse_json(record) if isinstance(record, str | bytes) else record
    if not isinstance(fields, dict):
        raise MalformedRecord(f"A transition record must be a JSON object, not {type(fields).__name__}.")
    event = fields.get("event")
    fact = FACTS_BY_NAME.get(event) if isinstance(event, str) else None
    if fact is None:
        word = repr(event[:60]) if isinstance(event, str) else type(event).__name__
        raise MalformedRecord(f"A record's event must be one of the ledger's, and this is {word}.")
    body = dict(fields)
    del body["event"]
    itself = _ledger(fact, body) if fact in LEDGER_FACTS else None
    beside = _BESIDE_A_PLAN if fact is Planned else ENVELOPE
    envelope = _validate(Envelope, {name: body.pop(name) for name in beside & body.keys()})
    if fact is Planned:
        plan = _parse_plan(body, new_id)
        return Transition(**vars(envelope) | {"job": plan.job, "fact": plan})
    subject = _subject(envelope, fact) if itself is None else itself
    return Transition(**vars(envelope) | {"job": subject, "fact": _validate(fact, body)})


BREAK_AT = "break_at"  # what a record calls the position of a break, for its own is where it stands itself
_PLAIN = (bool, int, float, type(None), datetime)


def is_light(record: object) -> bool:
    """Whether a record is small and of plain values, so that whoever reads it for another has soon read it."""
    if type(record) is Transition:
        return True
    values, left = [record], LIGHT_MAX
    while values and left >= 0:
        value = values.pop()
        if type(value) is dict:
            left -= len(value)
            values.extend(value.values())
        elif type(value) is list or type(value) is tuple:
            left -= len(value)
            values.extend(value)
        elif type(value) is str or type(value) is bytes:
            left -= len(value) // TEXT_OF_ONE_VALUE
        elif type(value) not in _PLAIN:
            return False
    return left >= 0


def parse_json(text: str | bytes) -> Any:
    """A JSON value, strictly: no NaN, no infinity, no name twice; raises `BadInput`."""
    try:
        value = from_json(text, allow_inf_nan=False) if isinstance(text, bytes) and b'": ' not in text else None
        if value is not None and to_json(value) == text.strip():  # what its value prints has no name twice
            return value
    except ValueError:
        pass  # which is told better below
    try:
        if isinstance(text, bytes):
            text = text.removeprefix(codecs.BOM_UTF8).decode()
        return _DECODER.decode(text)
    except RecursionError:
        raise too_deep() from None
    except UnicodeDecodeError:
        raise MalformedRecord("A record must be UTF-8, and this is not.") from None
    except json.JSONDecodeError as error:
        raise MalformedRecord(f"A record must be JSON, and this is not: {error}.") from None
    except ValueError:  # Python says so where an integer is too long
        raise too_many_digits() from None


def _refuse_constant(constant: str) -> None:
    raise NotFinite(f"A number must be finite, and this is {constant}.")


def _distinct_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise MalformedRecord("A JSON object must have each name once, and this has one twice.")
    return fields


def _ledger(fact: type[Fact], body: dict[str, Any]) -> str:
    """The UUID of the ledger that a record is about, taken out of it; what is left has the names of the fact."""
    if fact is BreakAccepted:
        body["position"] = body.pop(BREAK_AT, None)
    ledger = body.pop("ledger", None)
    if not isinstance(ledger, str) or not _UUID.fullmatch(ledger) or body.get("job") is not None:
        raise MalformedRecord("A record about the ledger itself must name it by its UUID, and no job.")
    return ledger


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def _subject(envelope: Envelope, fact: type[Fact]) -> str:
    if fact in OWNER_FACTS:
        if envelope.owner is None or envelope.epoch is None:
            raise MalformedRecord(f"A record of {fact.name} must name the owner and the epoch.")
        if envelope.job is not None:
            raise MalformedRecord(f"A record of {fact.name} must name no job, for it is about an owner.")
        return envelope.owner
    if envelope.job is not None:
        return envelope.job
    raise MalformedRecord(f"A record of {fact.name} must name the job.")


def _parse_plan(body: Mapping[str, Any], new_id: Callable[[], str]) -> Plan:
    if "children" in body:
        _check_tree(body)
    plan = _validate(Plan, _name_jobs(body, new_id))
    if not plan.children:
        return plan
    parts = plan.parts
    for part in parts:
        if any(child.parent not in (None, part.job) for child in part.children):
            raise MalformedRecord(f"The children of {part.job} must not name another parent.")
    if len({part.job for part in parts}) < len(parts):
        raise MalformedRecord("A plan must name each job once, and this names one twice.")
    return plan


def _check_tree(plan: Mapping[str, Any]) -> None:
    level, jobs = [plan], 0
    for _ in range(TREE_DEPTH_MAX):
        level = [child for part in level for child in _children_of(part)]
        jobs += len(level)
        _check_count(jobs)
        if not level:
            return
    raise TreeTooDeep(f"A tree of jobs must be {TREE_DEPTH_MAX} deep at most.", limit=TREE_DEPTH_MAX)


def _check_count(children: int) -> None:
    if children > CHILDREN_MAX:
        raise TooManyChildren(
            f"One append must plan {CHILDREN_MAX:,} children at most, and this plans {children:,} or more.",
            limit=CHILDREN_MAX,
            found=children,
        )


def _children_of(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    children = plan.get("children", [])
    if not isinstance(children, list) or not all(isinstance(child, dict) for child in children):
        raise MalformedRecord("The children of a plan must be a list of JSON objects.")
    return children


def _name_jobs(plan: Mapping[str, Any], new_id: Callable[[], str]) -> dict[str, Any]:
    named = {**plan, "job": plan["job"] if plan.get("job") is not None else new_id()}
    if plan.get("children"):
        named["children"] = [_name_jobs(child, new_id) for child in plan["children"]]
    return named


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_distinct_names)

M = TypeVar("M", bound=Frozen)


def _validate(model: type[M], fields: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise malformed(error) from None


def malformed(error: ValidationError) -> BadInput:
    """One sentence for what pydantic found first."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])[:200] or "record"
    place = place if place.isprintable() else repr(place)
    if first["type"] == "string_unicode":
        return HostileText(f"A text must be Unicode, and {place} holds half of a surrogate pair.")
    if first["type"] == "extra_forbidden":
        return MalformedRecord(f"A record must have known fields alone, and {place} is none.", field=place)
    return MalformedRecord(f"A record's {place} is not as it must be: {first['msg']}.", field=place)


def planned(plan: Plan, root: str, depth: int, parent: str | None) -> Planned:
    """The fact that a plan was put on record, in its place in the tree.

    It is made of what was checked before, in a quarter of the time of `model_construct`.
    """
    terms = vars(plan)
    fields = {name: terms[name] for name in _TERMS}
    fields |= {"parent": parent, "root": root, "depth": depth, "children": len(plan.children)}
    fact = Planned.__new__(Planned)
    object.__setattr__(fact, "__dict__", fields)
    object.__setattr__(fact, "__pydantic_fields_set__", _PLANNED)
    object.__setattr__(fact, "__pydantic_extra__", None)
    object.__setattr__(fact, "__pydantic_private__", None)
    return fact


_TERMS = tuple(Terms.model_fields)
_PLANNED = set(Planned.model_fields)  # one for all, which never change; a set of its own would be most of each


def print_fact(fact: Fact) -> dict[str, Any]:
    """The fields of a fact as JSON values; a field at its default is left out."""
    return dict(fact.body)


def print_transition(transition: Transition | Event) -> dict[str, Any]:
    """The transition record, ready for JSON; what `parse_transition` reads back."""
    fact = transition.fact
    record: dict[str, Any] = {} if type(fact) in OWNER_FACTS else {_subject_of(fact): transition.job}
    record["event"] = fact.name
    at = transition.occurred_at if isinstance(transition, Event) else transition.at
    record |= {"at": print_time(at)} if at else {}
    for name in ("id", "actor", "reason", "owner", "epoch", "raw", "traceparent"):
        value = getattr(transition, name)
        if value is not None and not (name == "id" and type(fact) is Damaged):
            record[name] = value
    body = _print_body(fact)
    if type(fact) is BreakAccepted:
        body[BREAK_AT] = body.pop("position")
    return record | body


def _subject_of(fact: Fact) -> str:
    """What a record calls that which it is about."""
    return "ledger" if type(fact) in LEDGER_FACTS else "job"


def _print_body(fact: Fact) -> dict[str, Any]:
    body = print_fact(fact)
    for name in ("entities", "products"):
        if name in body:
            body[name] = [item.model_dump(mode="json", exclude_none=True) for item in getattr(fact, name)]
    if isinstance(fact, Planned):
        for derived in ("root", "depth", "children"):
            body.pop(derived, None)
    if isinstance(fact, Plan):
        body.pop("job")
        if fact.children:
            body["children"] = [{"job": child.job} | _print_body(child) for child in fact.children]
    return body
