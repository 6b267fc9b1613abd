"""Random histories: commands of every kind over a few jobs and entities, many of them repeated or against the rules."""

import random
from typing import Any

from ledger.domain.events import ENDINGS, JOB_FACTS, OWNER_FACTS, Planned, Resolved

Record = dict[str, Any]

JOBS = [f"j{number}" for number in range(12)]
ENTITIES = [(kind, name) for kind in ("vm", "disk", "host") for name in ("1", "2")]
ENDS = [fact.name for fact in JOB_FACTS if fact in ENDINGS and fact is not Resolved]
REPORTS = [fact.name for fact in JOB_FACTS if fact is not Planned and fact.name not in ENDS]
OF_OWNERS = [fact.name for fact in OWNER_FACTS]
PROGRESS = (
    {"percent": 40, "estimated_end": "2030-01-01T00:00:00.5Z"},
    {"done": 3, "total": 4, "unit": "GB"},
    {"message": "copying"},
    {"done": 2.5},
)


class History:
    """An endless stream of records; the same seed gives the same one."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._said: list[Record] = []
        self._asked: list[str] = []

    def next(self) -> Record:
        """The next record: a fresh one mostly, else one that was said before."""
        if self._said and self._random.random() < 0.1:
            return self._random.choice(self._said)
        plans = not self._asked or self._random.random() < (0.6 if len(self._said) < 20 else 0.15)
        record = self._plan(self._job()) if plans else self._report()
        self._said.append(record)
        return record

    def _job(self) -> str:
        fresh = [job for job in JOBS if job not in self._asked]
        return self._random.choice(fresh if fresh and self._random.random() < 0.8 else JOBS)

    def _plan(self, job: str) -> Record:
        choose = self._random
        self._asked.append(job)
        record: Record = {"job": job, "event": "planned", "type": choose.choice(("Build", "Move"))}
        if choose.random() < 0.3:
            record["parent"] = choose.choice(self._asked)
        if choose.random() < 0.1:
            record["retry_of"] = choose.choice(self._asked)
        record["end_action"] = choose.choice(("none", "auto", "owner"))
        record["required"] = choose.random() < 0.8
        record["actor"] = choose.choice(("ann", "bob"))
        if choose.random() < 0.7:
            record["entities"] = [self._entity()]
        if choose.random() < 0.3:
            record["retention"] = choose.choice(
                ("default", "hyperv", {"keep_for": 0}, {"keep_for": 60, "keep_at_most": 2}, {"keep_for": 0, "dwell": 5})
            )
        if "parent" not in record and choose.random() < 0.3:
            children = [other for other in JOBS if other not in self._asked][:2]
            record["children"] = [{"job": child, "type": "Part"} for child in children]
            self._asked += children
        return record

    def _entity(self) -> Record:
        kind, name = self._random.choice(ENTITIES)
        access = self._random.choice(("exclusive", "exclusive", "shared", "none"))
        return {"type": kind, "id": name, "role": self._random.choice(("target", "source")), "access": access}

    def _products(self) -> list[Record]:
        """None, one as most say it, or one in any role with any access."""
        kind, name = self._random.choice(ENTITIES)
        return self._random.choice(([], [{"type": kind, "id": name}], [self._entity()]))

    def _report(self) -> Record:
        ends = self._random.random() < (0.05 if len(self._said) < 120 else 0.4)
        event = self._random.choice([*ENDS, "succeeded"] if ends else REPORTS)
        record: Record = {"job": self._random.choice(self._asked), "event": event, **self._body(event)}
        if self._random.random() < 0.2:
            record["raw"] = self._random.choice(("BUSY", "DONE"))
        if event in ("closing", "adopted") or self._random.random() < 0.05:
            record |= {"owner": "engine", "epoch": self._random.choice((1, 2))}
        if self._random.random() < 0.02:
            event = self._random.choice([*OF_OWNERS, "owner_started"])
            return {"event": event, "owner": "engine", "epoch": self._random.choice((1, 1, 2))}
        return record

    def _body(self, event: str) -> Record:
        kind, name = self._random.choice(ENTITIES)
        bodies: dict[str, Record] = {
            "refused": {"plan": {"type": "Build", "entities": [self._entity()]}, "blockers": [{"job": "other"}]},
            "submitted": {"executor": "nova", "token": self._random.choice(("t1", "t2"))},
            "accepted": {"executor": "nova", "external_id": f"x{self._random.randrange(30)}"},
            "progressed": self._random.choice(PROGRESS),
            "attached": {"entities": [self._entity()]},
            "detached": {"entities": [{"type": kind, "id": name} | self._random.choice(({}, {"role": "source"}))]},
            "succeeded": {"products": self._products(), "result": self._random.choice((None, {"n": 1}))},
            "failed": {"products": self._products(), "error": {"code": "x", "details": [{"n": None}]}},
            "lost": {"products": self._products()},
            "late": {"report": {"event": "attached", "entities": [self._entity()]}, "because": "closed"},
            "resolved": {"outcome": self._random.choice(("succeeded", "failed")), "products": self._products()},
            "expired": {"policy": "hyperv", "cause": "keep_for"},
        }
        return bodies.get(event, {})
