"""Callers that race for the same few entities, for a given time; run by the tests, and by scripts/race for longer.

Each process has threads, and each thread is a caller with jobs of its own: it plans single jobs and trees with every
access and with limits, attaches and detaches, loses jobs and finds them again, adds children, and ends what it has.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.application import Ledger
from ledger.errors import EntityBusy
from ledger.service.assembly import assemble

ROOT = Path(__file__).parents[2]
PROCESSES, THREADS, DISKS, HOSTS = 2, 8, 20, 4
OPEN_MAX, DEPTH_MAX = 4, 6
PATIENCE_SECONDS = 60


@dataclass
class Caller:
    """One caller: what it has planned and not ended, and how often it was admitted and refused."""

    ledger: Ledger
    name: str
    admitted: int = 0
    refused: int = 0
    open: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.name)
        self.asked = 0

    def work(self, until: float) -> tuple[int, int]:
        """Act at random until a time of the monotonic clock; how often it was admitted and refused is returned."""
        acts = (self.plan, self.plan, self.plan_tree, self.add_child, self.attach, self.detach, self.lose, self.end)
        while time.monotonic() < until:
            act: Callable[[], None] = self.chance.choice(acts)
            if len(self.open) + len(self.lost) > OPEN_MAX:
                act = self.end
            try:
                act()
            except EntityBusy:
                self.refused += 1
        return self.admitted, self.refused

    def plan(self) -> None:
        """Plan a job, or plan one again that was refused."""
        terms = self._terms()
        self._plan(self._new(), record_refusal=self.chance.random() < 0.9, **terms)

    def plan_tree(self) -> None:
        """Plan a parent with children that hold the same entity, which excludes everybody but them."""
        job, terms = self._new(), self._terms()
        children = [{"job": f"{job}/{n}", "type": self._type(), "entities": terms["entities"]} for n in range(2)]
        self._plan(job, children=children, **terms)
        self.open |= {child["job"]: list(child["entities"]) for child in children}

    def add_child(self) -> None:
        """Plan a child later, on what its parent holds and on more."""
        job = self._any_open()
        if job is None or job.count("/") > DEPTH_MAX:
            return
        terms, self.asked = self._terms(), self.asked + 1
        terms["entities"] = [*self.open[job], *(it for it in terms["entities"] if not _among(it, self.open[job]))]
        self._plan(f"{job}/+{self.asked}", parent=job, **terms)

    def attach(self) -> None:
        """Touch a further entity."""
        job, entity = self._any_open(), self._entity()
        if job is not None and not _among(entity, self.open[job]):
            self.ledger.attach(job, [entity])
            self.open[job].append(entity)

    def detach(self) -> None:
        """Let an entity go."""
        job = self._any_open()
        if job is not None and self.open[job]:
            entity = self.open[job].pop()
            self.ledger.detach(job, [{"type": entity["type"], "id": entity["id"]}])

    def lose(self) -> None:
        """Lose a job, which keeps what it holds until somebody finds out."""
        job = self._any_open()
        if job is not None:
            self.ledger.lose(job)
            del self.open[job]
            self.lost.append(job)

    def end(self) -> None:
        """End a job, or find out what became of one that was lost; children may outlast their parent."""
        job = self._any_open()
        if self.lost and (job is None or self.chance.random() < 0.4):
            self.ledger.resolve(self.lost.pop(0), "failed")
        elif job is not None:
            self.chance.choice([self.ledger.fail, self.ledger.abandon])(job)
            del self.open[job]

    def _plan(self, job: str, **terms: Any) -> None:
        try:
            self.ledger.plan(self._type(), job=job, owner=self.name, epoch=1, **terms)
        except EntityBusy:
            self.again.append(job)
            raise
        self.admitted += 1
        self.open[job] = list(terms["entities"])

    def _new(self) -> str:
        """A new name, or at times that of a job which was refused."""
        if self.again and self.chance.random() < 0.2:
            return self.again.pop()
        self.asked += 1
        return f"{self.name}/{self.asked}"

    def _any_open(self) -> str | None:
        return self.chance.choice(list(self.open)) if self.open else None

    def _type(self) -> str:
        return self.chance.choice(["Move", "Move", "Copy"])

    def _terms(self) -> dict[str, Any]:
        entities = {(it["type"], it["id"]): it for it in (self._entity() for _ in range(self.chance.randint(1, 3)))}
        limits = [
            {"type": "Move", "entity": {"type": kind, "id": name}, "at_most": self.chance.randint(2, 4)}
            for kind, name in entities
            if self.chance.random() < 0.5
        ]
        return {"entities": list(entities.values()), "limits": limits}

    def _entity(self) -> dict[str, Any]:
        if self.chance.random() < 0.3:
            return {"type": "host", "id": f"h{self.chance.randrange(HOSTS)}", "access": "none"}
        access = self.chance.choice(["exclusive", "shared", "shared", "none"])
        return {"type": "disk", "id": f"d{self.chance.randrange(DISKS)}", "access": access}


def _among(entity: dict[str, Any], held: list[dict[str, Any]]) -> bool:
    return (entity["type"], entity["id"]) in {(it["type"], it["id"]) for it in held}


def work(conninfo: str, process: str, seconds: float) -> list[tuple[int, int]]:
    """What one process does: how often each of its callers was admitted and refused is returned."""
    until = time.monotonic() + seconds
    with assemble(conninfo) as ledger, ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda n: Caller(ledger, f"{process}-{n}").work(until), range(THREADS)))


def race(conninfo: str, seconds: float) -> list[tuple[int, int]]:
    """Let all processes race; raises where one fails, or does not come to its end."""
    command = (sys.executable, "-m", __name__, conninfo)
    running = [
        subprocess.Popen((*command, str(n), str(seconds)), cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for n in range(PROCESSES)
    ]
    try:
        said = [process.communicate(timeout=seconds + PATIENCE_SECONDS)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0] * PROCESSES
    return [(admitted, refused) for line in said for admitted, refused in json.loads(line)]


if __name__ == "__main__":
    print(json.dumps(work(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
