"""Which job was active on which entity, in which role, from when to when.

Open intervals are the running index; closed ones answer what held an entity at a time. A product is an interval of no
length. Nothing in a row changes but its end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from psycopg import Cursor
from pydantic_core import to_json

from ledger.admission import Demand, Holder
from ledger.domain.entities import Access, Release
from ledger.domain.events import Attached, Detached, Ended, Event, Limit, Lost, Planned, RecordedEvent
from ledger.domain.values import print_time
from ledger.store.views import Asked, Session
from projections.projection import SQL

Key = tuple[str, str, str, str, int]
Row = dict[str, Any]


class RunningJobs:
    """The view `running_jobs`."""

    name = "running_jobs"
    version = 1
    tables: Mapping[str, str] = {"running_jobs": "job, entity_type, entity_id, role, from_position"}

    def prepare(self, session: Session, events: Sequence[Event]) -> Callable[[Sequence[RecordedEvent]], None]:
        """Open and close the intervals that the events speak of."""
        told = [event for event in events if isinstance(event.fact, _HOLDING)]
        known = sorted({event.job for event in told if event.version > 1})
        touching = sorted({event.job for event in told if event.version > 1 and _touches(event)})
        open_rows = session.execute(SQL["select_open_intervals"], {"jobs": known}) if known else None
        roots = session.execute(SQL["select_roots"], {"jobs": touching}) if touching else None

        def take(placed: Sequence[RecordedEvent]) -> None:
            book = _Book({**row, "since": print_time(row["since"])} for row in (open_rows or ()))
            book.roots.update((row["job"], row["root"]) for row in (roots or ()))
            for entry in placed:
                if isinstance(entry.event.fact, _HOLDING):
                    book.take(entry)
            if book.changed:
                rows = [book.rows[key] for key in book.changed]
                session.execute(SQL["upsert_intervals"], {"rows": to_json(rows).decode()})

        return take


_HOLDING = (Planned, Attached, Detached, Ended)


def _touches(event: Event) -> bool:
    """Whether a job touches something new after it was planned, for which it may hold nothing that tells its root."""
    return isinstance(event.fact, Attached) or (isinstance(event.fact, Ended) and bool(event.fact.products))


class _Book:
    """The intervals of the jobs of one batch, with what has changed in them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows: dict[Key, Row] = {}
        self.changed: dict[Key, None] = {}
        self._open: dict[str, dict[Key, None]] = {}
        self.roots: dict[str, str] = {}
        for row in rows:
            self._keep(row)

    def take(self, entry: RecordedEvent) -> None:
        event, fact = entry.event, entry.event.fact
        if isinstance(fact, Planned):
            self.roots[event.job] = fact.root
        if isinstance(fact, Planned | Attached):
            self._begin(entry, fact.entities)
        elif isinstance(fact, Detached):
            self._end(entry, fact.entities)
        elif isinstance(fact, Ended):
            if not isinstance(fact, Lost):
                self._end(entry, None)
            self._begin(entry, fact.products, ended=True)

    def _begin(self, entry: RecordedEvent, entities: Sequence[Any], *, ended: bool = False) -> None:
        job = entry.event.job
        held = {
            (row["entity_type"], row["entity_id"], row["role"]) for row in map(self.rows.__getitem__, self._of(job))
        }
        at = print_time(entry.event.occurred_at)
        for entity in entities:
            if not ended and (entity.type, entity.id, entity.role) in held:
                continue
            row = {
                "job": job,
                "root": self.roots[job],
                "entity_type": entity.type,
                "entity_id": entity.id,
                "role": entity.role,
                "access": str(entity.access),
                "from_position": entry.position,
                "since": at,
                "to_position": entry.position if ended else None,
                "until": at if ended else None,
            }
            self.changed[self._keep(row)] = None

    def _end(self, entry: RecordedEvent, releases: Sequence[Release] | None) -> None:
        for key in list(self._of(entry.event.job)):
            row = self.rows[key]
            if releases is None or any(_speaks_of(release, row) for release in releases):
                row["to_position"] = entry.position
                row["until"] = print_time(entry.event.occurred_at)
                del self._open[entry.event.job][key]
                self.changed[key] = None

    def _of(self, job: str) -> dict[Key, None]:
        return self._open.setdefault(job, {})

    def _keep(self, row: Row) -> Key:
        key = (row["job"], row["entity_type"], row["entity_id"], row["role"], row["from_position"])
        self.rows[key] = row
        if row["to_position"] is None:
            self._of(row["job"])[key] = None
        self.roots.setdefault(row["job"], row["root"])
        return key


def _speaks_of(release: Release, row: Mapping[str, Any]) -> bool:
    same = (release.type, release.id) == (row["entity_type"], row["entity_id"])
    return same and release.role in (None, row["role"])


def holders(session: Session, demands: Iterable[Demand]) -> Asked[list[Holder]]:
    """The active jobs that stand against a demand, their own tree included."""
    asked = list(demands)
    if not asked:
        return list
    parameters = {
        "types": [demand.type for demand in asked],
        "ids": [demand.id for demand in asked],
        "exclusives": [demand.exclusive for demand in asked],
    }
    return _holders(session.execute(SQL["select_holders"], parameters))


def present(session: Session, limits: Iterable[Limit]) -> Asked[list[Holder]]:
    """The active jobs that count against limits, whatever their access."""
    asked = sorted({limit.counted for limit in limits})
    if not asked:
        return list
    job_types, types, ids = map(list, zip(*asked, strict=True))
    return _holders(session.execute(SQL["select_present"], {"job_types": job_types, "types": types, "ids": ids}))


def _holders(cursor: Cursor[dict[str, Any]]) -> Asked[list[Holder]]:
    return lambda: [Holder(**{**row, "access": Access(row["access"])}) for row in cursor.fetchall()]
