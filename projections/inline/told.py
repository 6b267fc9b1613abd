"""What long streams have told, to be looked for: a row for each event beyond the beginning, and for each way to ask.

A row says that an event may be what is looked for; whoever finds it reads the event to be sure. Names of streams are
cut to 4 bytes, and so are ids and contents, so that a row is small.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from ledger.domain.content import SHORT_EVENTS_MAX, SIGN_BYTES, Mark, marks
from ledger.domain.events import Damaged, Event, Placed
from ledger.domain.values import print_time
from ledger.errors import IntegrityFailure, SchemaTooNew
from ledger.store.mapper import read_event
from ledger.store.views import Asked, Session, Sought
from projections.statements import INLINE as SQL

TIMELESS = "-infinity"


class ToldRows:
    """The view `told`; nothing is kept of a stream."""

    name = "told"
    version = 1
    tables: Mapping[str, str] = {"told": "stream, at, sign, version"}

    def read(self, _session: Session, _jobs: Sequence[str], _sql: Mapping[str, str]) -> Mapping[str, None]:
        """Nothing."""
        return {}

    def fold(self, _kept: None, _entry: Placed) -> None:
        """Nothing, whatever comes."""

    def writes(self, _kept: Iterable[None], _before: int, entries: Sequence[Placed]) -> Mapping[str, Mapping[str, str]]:
        """The rows of events that are not among the first of their streams."""
        events = [entry.event for entry in entries if entry.event.version > SHORT_EVENTS_MAX and _is_one(entry.event)]
        rows = [(event, mark) for event in events for mark in marks(event)]
        if not rows:
            return {}
        columns = {
            "told_streams": [_number(event.stream) for event, _ in rows],
            "told_times": [_at(mark) for _, mark in rows],
            "told_signs": [_signed(mark.sign) for _, mark in rows],
            "told_versions": [event.version for event, _ in rows],
        }
        return {"insert_told": {name: to_json(column).decode() for name, column in columns.items()}}


def find(session: Session, sought: Iterable[Sought]) -> Asked[Mapping[Sought, list[Event]]]:
    """The events that have a mark, in order, by stream and mark; where a mark has no sign, whether there are any."""
    asked = list(dict.fromkeys(sought))
    signed = [(place, it) for place, it in enumerate(asked) if it[1].sign]
    unsigned = [(place, it) for place, it in enumerate(asked) if not it[1].sign]
    events = _ask(session, SQL["select_told"], signed)
    later = _ask(session, SQL["select_told_since"], unsigned)

    def read() -> Mapping[Sought, list[Event]]:
        found: dict[Sought, list[Event]] = {asked[row["place"]]: [] for row in later()}
        for row in events():
            told = found.setdefault(asked[row["place"]], [])
            if row["state"] is not None:
                name, version = row["originator_id"], row["originator_version"]
                with suppress(IntegrityFailure, SchemaTooNew):  # a row that is no event told nothing
                    told.append(read_event(name, version, row["topic"], bytes(row["state"])))
        return found

    return read


def _ask(session: Session, statement: str, sought: Sequence[tuple[int, Sought]]) -> Asked[Sequence[Mapping[str, Any]]]:
    if not sought:
        return tuple
    rows = [
        {"place": place, "name": name, "stream": _number(name), "at": _at(mark), "sign": _signed(mark.sign)}
        for place, (name, mark) in sought
    ]
    return session.execute(statement, {"asked": to_json(rows).decode()}).fetchall


def _is_one(event: Event) -> bool:
    return type(event.fact) is not Damaged


def _at(mark: Mark) -> str:
    return TIMELESS if mark.at is None else print_time(mark.at)


def _signed(sign: bytes) -> int:
    return int.from_bytes(sign, signed=True)


@lru_cache(maxsize=1_024)
def _number(stream: str) -> int:
    return _signed(hashlib.blake2b(stream.encode(), digest_size=SIGN_BYTES).digest())
