"""What no event can be, or cannot be where it stands: one bad row spoils its own stream, and no other.

A stream is damaged from its first row that is no event, that stands out of turn, or that the transition table does not
allow there. What it said before stands; nothing after it is believed, and nothing more is recorded in it.
"""

from ledger.domain.events import Damaged, Event
from ledger.domain.states import BEGINNING, TRANSITIONS, Outcome, Phase
from ledger.errors import StreamDamaged


def out_of_turn(version: int, event: Event) -> str | None:
    """Why an event cannot come after this version of its stream; None where it can."""
    if type(event.fact) is Damaged:
        return event.fact.why
    if event.version == version + 1:
        return None
    return f"version {event.version:,} must follow {event.version - 1:,}, and follows {version:,}"


def not_allowed(phase: Phase | None, outcome: Outcome | None, name: str) -> str | None:
    """Why the transition table has no place for an event of a job that is so far; None where it has."""
    if phase is None:
        return None if name in BEGINNING else f"a stream must begin with planned, not {name}"
    if name in BEGINNING and outcome is not Outcome.REFUSED:
        return f"{name} must not follow what is on record"
    return None if phase in TRANSITIONS[name] else f"a job that is {phase} cannot take {name}"


def stream_damaged(kind: str, name: str, why: str) -> StreamDamaged:
    """The error for whoever would record something in a damaged stream."""
    return StreamDamaged(
        f"What is on record of {kind} {name} must be whole, and is damaged: {why}; jobledger doctor names the rows.",
        **{kind: name},
    )
