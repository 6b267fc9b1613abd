"""From when to when each job was active, by itself and on each entity that it touched: what a look into the past reads.

It says which jobs may have been active at a moment, and never misses one; what a job held then, its own events say.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_json

from ledger.domain.facts import named
from ledger.domain.states import BEGINNING
from ledger.store.views import Session
from projections.followed.interval_tree import fork
from projections.followed.stored_event import StoredEntry
from projections.statements import FOLLOWED as SQL

ActivityRow = dict[str, Any]
Place = tuple[str, str]
ITSELF: Place = ("", "")  # no entity has an empty type
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND, INSTANT = timedelta(seconds=1), timedelta(microseconds=1)


class Activity:
    """The followed view `activity`."""

    name = "activity"
    version = 1
    tables: Mapping[str, str] = {"activity": "job, entity_type, entity_id", "asked_below": "parent, job"}

    def project(self, session: Session, page: Sequence[StoredEntry]) -> None:
        """Take out the open rows of the jobs that the events change; they are put back as they are then."""
        events = [entry.event for entry in page]
        planned = {event.job for event in events if event.name == "planned"}
        known = sorted({event.job for event in events if event.name in _CHANGING} - planned)
        found = session.execute(SQL["delete_open_activity"], {"jobs": known}) if known else None
        book = _Book(found.fetchall() if found else ())
        for entry in page:
            take = _TAKES.get(entry.event.name)
            if take is not None:
                take(book, entry)
        if book.rows:
            session.execute(SQL["insert_activity"], {"rows": to_json(book.rows).decode()})
        if book.asked:
            parents, jobs = map(list, zip(*book.asked, strict=True))
            session.execute(SQL["insert_asked_below"], {"parents": parents, "jobs": jobs})


class _Book:
    """The rows that one batch of events opens and closes."""

    def __init__(self, rows: Iterable[ActivityRow]) -> None:
        self.rows: list[ActivityRow] = list(rows)
        self.asked: dict[Place, None] = {}
        self._open: dict[str, dict[Place, ActivityRow]] = {}
        for row in self.rows:
            self._open.setdefault(row["job"], {})[row["entity_type"], row["entity_id"]] = row

    def plan(self, entry: StoredEntry) -> None:
        self._begin(entry, (ITSELF, *_places(entry)))

    def attach(self, entry: StoredEntry) -> None:
        self._begin(entry, _places(entry))

    def refuse(self, entry: StoredEntry) -> None:
        parent = entry.event.said["plan"].get("parent")
        if parent is not None:
            self.asked[parent, entry.event.job] = None

    def end(self, entry: StoredEntry) -> None:
        for row in self._open.pop(entry.event.job, {}).values():
            _end(row, entry)

    def _begin(self, entry: StoredEntry, places: Iterable[Place]) -> None:
        job, at = entry.event.job, entry.event.occurred_at
        rows = self._open.setdefault(job, {})
        for place in places:
            if place in rows:
                rows[place]["since"] = min(rows[place]["since"], at)
                continue
            entity_type, entity_id = place
            rows[place] = {
                "entity_type": entity_type,
                "entity_id": entity_id,
                "job": job,
                "from_position": entry.position,
                "to_position": None,
                "since": at,
                "until": None,
                "position_fork": None,
                "time_fork": None,
            }
            self.rows.append(rows[place])


_TAKES: Mapping[str, Callable[[_Book, StoredEntry], None]] = {
    "planned": _Book.plan,
    "attached": _Book.attach,
    "refused": _Book.refuse,
    **dict.fromkeys(("succeeded", "failed", "cancelled", "abandoned", "resolved"), _Book.end),
}
_NOT_IN_TAKES = named(  # who is lost stays in the way, and who lets an entity go was active on it
    "submitted accepted started progressed suspended resumed cancel_requested detached contact_lost contact_regained "
    "closing adopted lost disputed late hold_placed hold_lifted expired"
)
_CHANGING = _TAKES.keys() - BEGINNING.keys()  # the open rows of a job


def _places(entry: StoredEntry) -> Iterable[Place]:
    return ((entity["type"], entity["id"]) for entity in entry.event.said.get("entities", ()))


def _end(row: ActivityRow, entry: StoredEntry) -> None:
    until = entry.event.occurred_at
    row["to_position"], row["until"] = entry.position, until
    row["position_fork"] = fork(row["from_position"], entry.position - 1)
    if row["since"] < until:
        row["time_fork"] = fork(second(row["since"]), second(until - INSTANT))


def second(moment: datetime) -> int:
    """The second that a moment lies in, from 1 for the first of 1970: the unit in which time has forks."""
    return (moment - EPOCH) // SECOND + 1
