import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.asking.answers import JobView

CHILDREN = 40
ENDS = ("succeeded", "failed", "cancelled", "lost")
PROGRESS: tuple[dict[str, Any], ...] = (
    {"percent": 12.5},
    {"done": 1, "total": 3},
    {"done": 9, "total": 4},
    {"done": 9_000_000_000_000_000_000, "total": 5e-324},
    {"done": 2},
    {"message": "copying"},
)


def _percent(views: Sequence[JobView]) -> float:
    """The mean of what the jobs without children show, told once more without the database."""
    told = [view for view in views if view.outcome != "refused"]
    above = {view.parent for view in told} | {view.retry_of for view in told}
    shares = [
        100.0 if view.done else float((view.progress or {}).get("percent") or 0.0)
        for view in told
        if view.job not in above
    ]
    return round(sum(shares) / len(shares), 2)


@pytest.mark.parametrize("seed", range(4))
def test_a_roll_up_adds_up_what_each_job_tells(ledger: Ledger, seed: int) -> None:
    """Over three levels, with retries, refused jobs that name one another as parents, and progress of every kind."""
    chance = random.Random(seed)
    middle = [{"job": f"m{n}", "type": "Middle"} for n in range(4)]
    life: list[dict[str, Any]] = [{"job": "top", "event": "planned", "type": "Top", "children": middle}]
    for number in range(CHILDREN):
        job, parent = f"c{number}", f"m{chance.randrange(4)}"
        life.append({"job": job, "event": "planned", "type": "Part", "parent": parent})
        if chance.random() < 0.2:
            life.append({"job": f"{job}r", "event": "planned", "type": "Part", "parent": parent, "retry_of": job})
        if chance.random() < 0.7:
            life.append({"job": job, "event": "progressed", **chance.choice(PROGRESS)})
        if chance.random() < 0.3:
            life.append({"job": job, "event": chance.choice(ENDS)})
    for job, parent in (("x", "m1"), ("y", "x"), ("z", "y")):
        life.append({"job": job, "event": "refused", "plan": {"type": "Part", "parent": parent}, "blockers": []})
    life.append({"job": "x", "event": "refused", "plan": {"type": "Part", "parent": "z"}, "blockers": []})
    ledger.import_records(json.dumps({"at": "2026-01-01T00:00:00Z", **said}).encode() for said in life)

    for job in ("top", "m1", "c1", "x"):
        views, found = ledger.tree(job), ledger.roll_up(job)
        assert found.jobs == len(views)
        assert found.phases == dict(Counter(view.phase for view in views))
        assert found.outcomes == dict(Counter(view.outcome for view in views if view.outcome))
        told = [view for view in views if view.outcome != "refused"]
        assert found.percent == (_percent(views) if told else 100.0)
