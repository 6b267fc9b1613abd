"""Which job was active on which entity, in which role, from when to when.

Open intervals are the running index; closed ones answer what held an entity at a time. A product is an interval of no
length. Nothing in a row changes but its end.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Cursor

from ledger.admission import Demand, Holder
from ledger.domain.entities import Access, Release
from ledger.domain.events import Attached, Detached, Ended, Limit, Lost, Planned, RecordedEvent
from ledger.domain.values import print_time
from projections.projection import SQL

Key = tuple[str, str, str, str, int]
Row = dict[str, Any]


class RunningJobs:
    """The view `running_jobs`."""

    name = "running_jobs"
    version = 1
    tables: Mapping[str, str] = {"running_jobs": "job, entity_type, entity_id, role, from_position"}

    def apply(self, cursor: Cursor[Any], events: Sequence[RecordedEvent]) -> None:
        """Open and close the intervals that the events speak of; `job_status` has taken them in before."""
        told = [entry for entry in events if isinstance(entry.event.fact, Planned | Attached | Detached | Ended)]
        if not told:
            return
        known = sorted({entry.event.job for entry in told if entry.event.version > 1})
        book = _Book(self._open_rows(cursor, known))
        book.roots |= self._roots(cursor, _touching(told) - book.roots.keys())
        for entry in told:
            book.take(entry)
        if book.changed:
            rows = [book.rows[key] for key in book.changed]
            written = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
            cursor.execute(SQL["upsert_intervals"], {"rows": written})

    @staticmethod
    def _open_rows(cursor: Cursor[Any], jobs: Sequence[str]) -> Iterable[Row]:
        if not jobs:
            return []
        cursor.execute(SQL["select_open_intervals"], {"jobs": jobs})
        return [{**row, "since": print_time(row["since"])} for row in cursor.fetchall()]

    @staticmethod
    def _roots(cursor: Cursor[Any], jobs: Iterable[str]) -> Mapping[str, str]:
        asked = sorted(jobs)
        if not asked:
            return {}
        cursor.execute(SQL["select_roots"], {"jobs": asked})
        return {row["job"]: row["root"] for row in cursor.fetchall()}


def _touching(told: Iterable[RecordedEvent]) -> set[str]:
    """The jobs that touch something new after they were planned."""
    facts = [(entry.event.job, entry.event.fact) for entry in told]
    return {job for job, fact in facts if isinstance(fact, Attached) or (isinstance(fact, Ended) and fact.products)}


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


def holders(cursor: Cursor[Any], demands: Iterable[Demand]) -> list[Holder]:
    """The active jobs that stand against a demand, their own tree included."""
    asked = list(demands)
    if not asked:
        return []
    parameters = {
        "types": [demand.type for demand in asked],
        "ids": [demand.id for demand in asked],
        "exclusives": [demand.exclusive for demand in asked],
    }
    cursor.execute(SQL["select_holders"], parameters)
    return [Holder(**{**row, "access": Access(row["access"])}) for row in cursor.fetchall()]


def present(cursor: Cursor[Any], limits: Iterable[Limit]) -> list[Holder]:
    """The active jobs that count against limits, whatever their access."""
    asked = sorted({limit.counted for limit in limits})
    if not asked:
        return []
    job_types, types, ids = map(list, zip(*asked, strict=True))
    parameters = {"job_types": job_types, "types": types, "ids": ids}
    cursor.execute(SQL["select_present"], parameters)
    return [Holder(**{**row, "access": Access(row["access"])}) for row in cursor.fetchall()]
