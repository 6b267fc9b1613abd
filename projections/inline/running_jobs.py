"""Which job was active on which entity, in which role, from when to when.

Open intervals are the running index; closed ones answer what held an entity at a time. A product is an interval of no
length. Nothing in a row changes but its end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from ledger.domain.admission import Demand, Held, Holder
from ledger.domain.entities import Access, Entity, Product, Release
from ledger.domain.events import (
    Abandoned,
    Attached,
    Cancelled,
    Damaged,
    Detached,
    Ended,
    Fact,
    Failed,
    Lost,
    Placed,
    Planned,
    Resolved,
    Succeeded,
)
from ledger.domain.facts import named
from ledger.domain.quorum import NAMED_MAX
from ledger.domain.values import print_time
from ledger.store.views import Asked, Counted, Crowd, Session
from projections.statements import INLINE as SQL

StayKey = tuple[str, str, str]
StayRow = dict[str, Any]


class RunningJobs:
    """The view `running_jobs`."""

    name = "running_jobs"
    version = 1
    tables: Mapping[str, str] = {"running_jobs": "job, entity_type, entity_id, role, from_position"}

    def read(self, session: Session, jobs: Sequence[str], sql: Mapping[str, str]) -> Mapping[str, "Stays"]:
        """The open intervals of jobs."""
        if not jobs:
            return {}
        roots = session.execute(sql["select_roots"], {"jobs": jobs}).fetchall()
        kept = {row["job"]: Stays(row["job"], row["root"], row["damaged"]) for row in roots}
        for row in session.execute(sql["select_open_intervals"], {"jobs": jobs}).fetchall():
            kept[row["job"]].keep({**row, "since": print_time(row["since"])})
        return kept

    def fold(self, kept: "Stays | None", entry: Placed) -> "Stays":
        """The stays of a job after an event."""
        stays = kept or Stays(entry.event.job, entry.event.job)
        stays.take(entry)
        return stays

    def writes(
        self, kept: Iterable["Stays"], before: int, _entries: Sequence[Placed]
    ) -> Mapping[str, Mapping[str, str]]:
        """The intervals that were begun or ended."""
        rows = [row for stays in kept if stays.changed for row in stays.changes(before)]
        return {"upsert_intervals": {"running_jobs": to_json(rows).decode()}} if rows else {}


class Stays:
    """The open intervals of one job, and what has changed since it was last written."""

    __slots__ = ("changed", "damaged", "job", "open", "root")

    def __init__(self, job: str, root: str, damaged: int | None = None) -> None:
        self.job = job
        self.root = root
        self.damaged = damaged  # the position from which on nothing counts
        self.open: dict[StayKey, StayRow] = {}
        self.changed: list[StayRow] = []

    def take(self, entry: Placed) -> None:
        """Open and close the intervals that an event of the job speaks of."""
        if self.damaged is not None and entry.position >= self.damaged:
            return
        change = _CHANGES.get(type(entry.event.fact))
        if change is not None:
            change(self, entry, entry.event.fact)
        elif type(entry.event.fact) is Damaged:
            self.damaged = entry.position

    def changes(self, before: int) -> list[StayRow]:
        """The intervals that were begun or ended after a position, each once; they are forgotten here."""
        found = {
            id(row): row for row in self.changed if row["from_position"] > before or (row["to_position"] or 0) > before
        }
        self.changed = []
        return list(found.values())

    def keep(self, row: StayRow) -> None:
        """Take an interval for open."""
        self.open[row["entity_type"], row["entity_id"], row["role"]] = row

    def begin(self, entry: Placed, entities: Iterable[Entity]) -> None:
        """Begin an interval on each entity that the job does not hold already in that role."""
        for entity in entities:
            if (entity.type, entity.id, entity.role) not in self.open:
                self.keep(self._add(entry, entity))

    def make(self, entry: Placed, products: Iterable[Product]) -> None:
        """Note each product, an interval of no length."""
        for product in products:
            row = self._add(entry, product)
            row["to_position"], row["until"] = row["from_position"], row["since"]

    def end(self, entry: Placed, ended: Callable[[StayRow], bool]) -> None:
        """End the open intervals of which this is true."""
        for key, row in list(self.open.items()):
            if ended(row):
                row["to_position"], row["until"] = entry.position, print_time(entry.event.occurred_at)
                del self.open[key]
                self.changed.append(row)

    def _add(self, entry: Placed, entity: Entity | Product) -> StayRow:
        row = {
            "job": self.job,
            "root": self.root,
            "entity_type": entity.type,
            "entity_id": entity.id,
            "role": entity.role,
            "access": entity.access.value,
            "from_position": entry.position,
            "since": print_time(entry.event.occurred_at),
            "to_position": None,
            "until": None,
        }
        self.changed.append(row)
        return row


def _plan(stays: Stays, entry: Placed, fact: Planned) -> None:
    stays.root = fact.root
    stays.begin(entry, fact.entities)


def _attach(stays: Stays, entry: Placed, fact: Attached) -> None:
    stays.begin(entry, fact.entities)


def _detach(stays: Stays, entry: Placed, fact: Detached) -> None:
    stays.end(entry, lambda row: any(_speaks_of(release, row) for release in fact.entities))


def _end(stays: Stays, entry: Placed, fact: Ended) -> None:
    stays.end(entry, lambda _: True)
    stays.make(entry, fact.products)


def _lose(stays: Stays, entry: Placed, fact: Lost) -> None:
    stays.make(entry, fact.products)


_CHANGES: Mapping[type[Fact], Callable[[Stays, Placed, Any], None]] = {
    Planned: _plan,
    Attached: _attach,
    Detached: _detach,
    Succeeded: _end,
    Failed: _end,
    Cancelled: _end,
    Abandoned: _end,
    Resolved: _end,
    Lost: _lose,
}
_NOT_IN_CHANGES = named(
    "refused submitted accepted started progressed suspended resumed cancel_requested contact_lost contact_regained "
    "closing adopted disputed late hold_placed hold_lifted expired"
)


def _speaks_of(release: Release, row: Mapping[str, Any]) -> bool:
    same = (release.type, release.id) == (row["entity_type"], row["entity_id"])
    return same and release.role in (None, row["role"])


def holders(session: Session, demands: Iterable[Demand], at_most: int) -> Asked[Mapping[Demand, list[Holder]]]:
    """The active jobs that stand against each demand, its own tree included, so many with each access."""
    asked = [demand._asdict() | {"access": str(demand.access)} for demand in demands]  # enums print slowly
    cursor = session.execute(SQL["select_holders"], {"demands": to_json(asked).decode(), "at_most": at_most})

    def answer() -> Mapping[Demand, list[Holder]]:
        found: dict[Demand, list[Holder]] = {}
        for row in cursor.fetchall():
            demand = Demand(row["type"], row["id"], Access(row.pop("asked")))
            found.setdefault(demand, []).append(_holder(row))
        return found

    return answer


def present(session: Session, counted: Iterable[Counted], at_most: int) -> Asked[Mapping[Counted, list[Holder]]]:
    """The active jobs on each entity with a limit, so many of them, whatever their type and access."""
    rows = [{"job_type": job_type, "type": kind, "id": name} for job_type, kind, name in counted]
    cursor = session.execute(SQL["select_present"], {"counted": to_json(rows).decode(), "at_most": at_most})

    def answer() -> Mapping[Counted, list[Holder]]:
        found: dict[Counted, list[Holder]] = {}
        for row in cursor.fetchall():
            asked = row.pop("asked"), row["type"], row["id"]
            found.setdefault(asked, []).append(_holder(row))
        return found

    return answer


def crowd(session: Session, crowd: Crowd, spoken_of: Sequence[str]) -> Held:
    """The oldest of many holders, beside them all that are spoken of, and how many others there are."""
    asked = {"accesses": to_json([str(access) for access in crowd.accesses]), "spoken_of": to_json(spoken_of)}
    parameters = crowd._asdict() | {name: text.decode() for name, text in asked.items()} | {"at_most": NAMED_MAX}
    rows = session.execute(SQL["select_crowd"], parameters).fetchall()
    counts = [row.pop("jobs") for row in rows]
    told = [count for count in counts if count is not None]
    return Held([_holder(row) for row in rows], told[0] - len(told) if told else 0)


def _holder(row: dict[str, Any]) -> Holder:
    return Holder(**{**row, "access": Access(row["access"])})
