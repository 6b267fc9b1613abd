"""Long streams, told in one append or put on record by hand, and how to look into what an append does with them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.domain.commands import parse_transition
from ledger.store import mapper

Record = dict[str, Any]


def second(number: int) -> str:
    """A time of its own for each number."""
    return f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"


def progress(job: str, number: int, **more: Any) -> Record:
    return {"job": job, "event": "progressed", "done": number, "total": 10_000, "at": second(number), **more}


def tell(ledger: Ledger, *records: Record) -> list[Any]:
    """Say all of it in one append; the answers."""
    return ledger.record_each([parse_transition(record, lambda: "x") for record in records])


def make_long(ledger: Ledger, job: str, events: int = 100, **terms: Any) -> None:
    """A job with so many events: its plan, and progress each second."""
    tell(ledger, {"job": job, "event": "planned", "type": "Copy", "at": second(0), **terms})
    tell(ledger, *(progress(job, number) for number in range(1, events)))


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The versions of the events that appends read meanwhile."""
    read: list[int] = []

    def spied(honest: Callable[..., Any]) -> Callable[..., Any]:
        def spy(*arguments: Any) -> Any:
            found = honest(*arguments)
            read.append(getattr(found, "event", found).version)
            return found

        return spy

    with monkeypatch.context() as patched:
        patched.setattr("ledger.store.reading.read_recorded", spied(mapper.read_recorded))
        patched.setattr("projections.inline.told.read_event", spied(mapper.read_event))
        yield read
