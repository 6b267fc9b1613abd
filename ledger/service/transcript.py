"""The ledger written out as transition records, which an import reads back to the same jobs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ledger.domain.commands import print_transition
from ledger.domain.events import Event, Planned, RecordedEvent
from ledger.errors import MalformedRecord
from ledger.event_ids import is_chosen

_SHARED = ("event", "at", "id", "parent", "owner", "epoch", "traceparent")


def transcribe(events: Iterable[RecordedEvent]) -> Iterator[dict[str, Any]]:
    """The record of each event, in order; that of a parent also has the children planned with it.

    A child has a record of its own too, so that every event is a line; importing it again changes nothing.
    """
    source = (entry.event for entry in events)
    for event in source:
        family = _read_family(event, source)
        records = [transcribe_event(member) for member in family]
        _nest(family, records, 0)
        yield from records


def transcribe_event(event: Event) -> dict[str, Any]:
    """The record of one event; an id that its caller did not give is left out."""
    record = print_transition(event)
    if is_chosen(event.id):
        del record["id"]
    return record


def _children(event: Event) -> int:
    return event.fact.children if isinstance(event.fact, Planned) else 0


def _read_family(event: Event, source: Iterator[Event]) -> list[Event]:
    """An event and, where it planned children, their events, which follow it in the same append."""
    family, due = [event], _children(event)
    while due:
        member = next(source, None)
        if member is None:
            raise MalformedRecord(
                f"The children planned with {event.job} must follow it, and some do not.", job=event.job
            )
        family.append(member)
        due += _children(member) - 1
    return family


def _nest(family: Sequence[Event], records: list[dict[str, Any]], place: int) -> int:
    """Put the children of the event at a place into its record; the place behind the last of them is returned."""
    children, after = [], place + 1
    for _ in range(_children(family[place])):
        child = after
        after = _nest(family, records, child)
        children.append(_as_child(records[child], records[place]))
    if children:
        records[place]["children"] = children
    return after


def _as_child(child: dict[str, Any], parent: dict[str, Any]) -> dict[str, Any]:
    inherited = {name for name in ("actor", "reason") if child.get(name) == parent.get(name)}
    return {name: value for name, value in child.items() if name not in inherited and name not in _SHARED}
