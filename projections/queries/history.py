"""Answers from the view `history`, each one statement and so from one snapshot of the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from psycopg import ClientCursor
from psycopg.rows import dict_row

from ledger.asking.search import Durations, HistoryEntry, HistoryPage, Tell, Window
from ledger.domain.entities import EntityRef
from ledger.domain.events import RecordedEvent
from ledger.domain.filters import Filter
from ledger.store.connection import Connect
from ledger.store.reading import read_all
from projections.followed.follower import ViewFollower
from projections.queries.filters import SearchSql
from projections.statements import QUERIES as SQL


class HistoryQueries:
    """Who searches the history (`ledger.asking.search.Histories`), over connections that the caller opens."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._follower = ViewFollower(connect)

    def catch_up(self, tell: Tell) -> None:
        """Bring the history to the end of the ledger as it is now, where this may be written; `tell` hears how far."""
        self._follower.catch_up(tell)

    def page(self, which: Filter, now: datetime, window: Window) -> HistoryPage:
        """What a filter finds in a window."""
        search = SearchSql(which, now, window)
        rows = self._ask(SQL["select_history"].replace("found_positions", search.positions), search)
        full_rows = [row for row in rows if row["position"] is not None]
        with self._connect() as connection:
            entries = read_all(connection, full_rows)
        entries_found = [_entry(row, entry, window.upto) for row, entry in zip(full_rows, entries, strict=True)]
        reached = min(position for position in (rows[0]["reached"], window.upto) if position is not None)
        return HistoryPage(
            entries_found if window.oldest else entries_found[::-1],
            reached,
            more=0 < len(entries_found) == window.limit,
        )

    def durations(self, which: Filter, now: datetime) -> tuple[Sequence[Durations], int]:
        """How long the jobs took whose outcome was given by what is found; the position to which that is true."""
        search = SearchSql(which, now)
        rows = self._ask(SQL["select_durations"].replace("found_conditions", search.conditions), search)
        durations_by_outcome = [
            Durations(**{name: row[name] for name in Durations.__slots__}) for row in rows if row["jobs"]
        ]
        return durations_by_outcome, rows[0]["reached"]

    def _ask(self, text: str, search: SearchSql) -> list[dict[str, Any]]:
        # Which index serves depends on the filter, so the planner must see its values.
        with self._connect() as connection, connection.transaction():
            connection.execute(SQL["enter_search"])
            with ClientCursor(connection, row_factory=dict_row) as cursor:
                return cursor.execute(text, search.parameters).fetchall()


def _entry(row: Mapping[str, Any], entry: RecordedEvent, upto: int | None) -> HistoryEntry:
    fields = {name: row[name] for name in ("type", "parent", "actor", "owner", "executor", "seconds")}
    if fields["seconds"] is not None and not isfinite(fields["seconds"]):  # which no event makes
        fields["seconds"] = None
    named = [*_named(entry.event.fact.body), *_held(row, upto)]
    entities = [EntityRef(type=kind, id=name) for kind, name in dict.fromkeys(named)]
    revised = row["revised_position"] if upto is None or (row["revised_position"] or 0) <= upto else None
    return HistoryEntry(entry=entry, revised=revised, entities=entities, **fields)


def _held(row: Mapping[str, Any], upto: int | None) -> list[tuple[str, str]]:
    """What the job holds, which is known of the end of the ledger alone."""
    held = row["entities"] if upto is None else ()
    return [(item[0], item[1]) for item in held or () if isinstance(item, list) and len(item) == _OF_HELD]


def _named(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The entities that an event names itself, those of a plan that was refused included."""
    parts = [record, record.get("plan") or {}]
    return [(item["type"], item["id"]) for part in parts for name in _NAMING for item in part.get(name, ())]


_OF_HELD = 3  # type, id and role
_NAMING = ("entities", "products")
