"""The ledger written out as transition records, which an import reads back to the same jobs."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from ledger.appending.submission import is_chosen
from ledger.domain.commands import print_transition
from ledger.domain.events import Damaged, Event, Planned, RecordedEvent

_SHARED = ("event", "at", "id", "parent", "owner", "epoch", "traceparent")


def transcribe(events: Iterable[RecordedEvent]) -> Iterator[dict[str, Any]]:
    """The record of each event, in order; that of a parent also has the children planned with it.

    A child has a record of its own too, so that every event is a line; importing it again changes nothing.
    """
    source = _Source(entry.event for entry in events)
    for event in source:
        family = _read_family(event, source)
        records = [_line(member) for member in family]
        if len(family) == 1 + sum(map(_children, family)):
            _nest(family, records, 0)
        yield from records


def _line(event: Event) -> dict[str, Any]:
    """The record of an event; for what is no event a line that is no record, so that an import passes it over."""
    fact = event.fact
    if type(fact) is Damaged:
        fields = {"stream": fact.stream, "version": event.version, "topic": fact.row_topic, "why": fact.why}
        return {"export": "damaged", **fields}
    return transcribe_event(event)


class _Source(Iterator[Event]):
    """Events, of which the next may be looked at."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.next = next(events, None)

    def __next__(self) -> Event:
        event, self.next = self.next, next(self._events, None) if self.next else None
        if event is None:
            raise StopIteration
        return event


def transcribe_event(event: Event) -> dict[str, Any]:
    """The record of one event; an id that its caller did not give is left out."""
    record = print_transition(event)
    if is_chosen(event.id):
        del record["id"]
    return record


def _children(event: Event) -> int:
    return event.fact.children if isinstance(event.fact, Planned) else 0


def _read_family(event: Event, source: _Source) -> list[Event]:
    """An event and, where it planned children, their events, which follow it in the same append.

    Where one of them is damaged or missing, those before it, and then none is written into its parent's record.
    """
    family, due, names = [event], _children(event), {event.job}
    while due and source.next is not None and _planned_below(source.next, names):
        member = next(source)
        family.append(member)
        names.add(member.job)
        due += _children(member) - 1
    return family


def _planned_below(event: Event, names: Collection[str]) -> bool:
    return isinstance(event.fact, Planned) and event.fact.parent in names


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
