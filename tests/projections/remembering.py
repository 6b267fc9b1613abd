"""Random histories side by side in one ledger, and what the live views answered after each append of them."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from ledger.application import Ledger
from ledger.asking.answers import JobFilter, JobView
from ledger.asking.moment import Past
from ledger.domain.retention import Retention
from ledger.errors import LedgerError
from tests.projections.histories import ENTITIES, JOBS, History, Record

COMMANDS = 60
ACTIVE = JobFilter(active=True)
SEEDS = st.integers(0, 1 << 32)


class World:
    """One history whose jobs and entities bear a name of their own, with what may be asked of it."""

    def __init__(self, seed: int, name: str, *, timed: bool = False) -> None:
        self._history, self._random, self._name, self._timed = History(seed), random.Random(seed), name, timed
        self.jobs = [name + job for job in JOBS]
        self.entities = [f"{kind}/{name}{entity}" for kind, entity in ENTITIES]

    def say(self, ledger: Ledger) -> None:
        """The next command, which may well be refused."""
        try:
            if self._random.random() < 0.06:
                ledger.expire(Retention(keep_for=0.001))
            else:
                ledger.record(self._next())
        except LedgerError:
            return

    def _next(self) -> Record:
        record: Record = self._renamed(self._history.next())
        if self._timed and self._random.random() < 0.9:
            record = {**record, "at": f"2026-01-01T00:00:{self._random.uniform(0, 30):09.6f}Z"}
        if record["event"] == "planned" and self._random.random() < 0.2:
            record = {**record, "deadline": f"2026-01-01T00:00:{self._random.randrange(60):02}Z"}
        return record

    def _renamed(self, said: Any, key: str = "") -> Any:
        if isinstance(said, dict):
            return {name: self._renamed(value, name) for name, value in said.items()}
        if isinstance(said, list):
            return [self._renamed(item, key) for item in said]
        return f"{self._name}{said}" if key in ("job", "parent", "retry_of", "id", "external_id", "owner") else said


@dataclass(frozen=True)
class Answers:
    """What was asked of a world at a moment, and answered."""

    jobs: dict[str, dict[str, Any]]
    trees: dict[str, list[str]]
    busy: dict[str, list[dict[str, Any]]]
    in_the_way: dict[str, list[str]]
    active: list[str]


def ask(asked: Ledger | Past, world: World, known: Sequence[str]) -> Answers:
    """Every answer about a world, without what the hour alone changes."""
    besides = known[0] if known else None
    return Answers(
        jobs={job: timeless(asked.job(job)) for job in known},
        trees={job: [view.job for view in asked.tree(job)] for job in known},
        busy={str(a.entity): [timeless(view) for view in a.jobs] for a in asked.busy_all(world.entities)},
        in_the_way={
            str(answer.entity): [view.job for view in answer.jobs]
            for answer in asked.busy_all(world.entities, would="shared", besides=besides)
        },
        active=_in(world, asked.jobs(ACTIVE)),
    )


def _in(world: World, jobs: Iterable[JobView]) -> list[str]:
    return [view.job for view in jobs if view.job in world.jobs]


def timeless(view: JobView) -> dict[str, Any]:
    """A job without what grows by itself while it is open."""
    said = view.as_json()
    return said if view.done else said | {"elapsed_seconds": None}
