import random
import uuid
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from tests.projections.remembering import COMMANDS, SEEDS, Answers, World, ask

EVERY = JobFilter(expired=True)


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],  # a seed does not shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(SEEDS)
def test_the_past_is_told_as_it_was_then(ledger: Ledger, seed: int) -> None:
    """As of every position at which somebody could ask, each answer is the one that the live views gave."""
    world = World(seed, uuid.uuid4().hex[:8] + "/")
    given: dict[int, Answers] = {}
    for _ in range(COMMANDS):
        world.say(ledger)
        known = [view.job for view in ledger.jobs(EVERY) if view.job in world.jobs]
        if known:
            given[ledger.position()] = ask(ledger, world, known)
    for position, answers in given.items():
        past = ledger.as_of(position)
        assert ask(past, world, list(answers.jobs)) == answers
        assert [past.busy(entity).position for entity in world.entities[:1]] == [position]
    choose = random.Random(seed)
    for _ in range(10):
        earlier, later = sorted(choose.choices(list(given), k=2))
        said = ledger.as_of(earlier).diff(ledger.as_of(later), lambda job: job.job in world.jobs).as_json()
        assert _in_short(said) == _expected(given[earlier], given[later])


def _in_short(said: dict[str, Any]) -> dict[str, set[str]]:
    jobs = {name: {change["job"] for change in said[name]} for name in ("opened", "closed", "changed")}
    return jobs | {name: {f"{e['type']}/{e['id']}" for e in said[name]} for name in ("busy", "free")}


def _expected(before: Answers, after: Answers) -> dict[str, set[str]]:
    """The difference of two sets of answers that the live views gave, worked out from nothing else."""
    opened, closed, changed = set(), set(), set()
    for name, job in after.jobs.items():
        was = before.jobs.get(name)
        if job["outcome"] != "refused" and (not was or (was["outcome"] == "refused")):
            opened.add(name)
        if job["done"] and (not was or not was["done"] or name in opened):
            closed.add(name)
        if was and name not in opened | closed and _state(was) != _state(job):
            changed.add(name)
    busy = {entity for entity, jobs in after.busy.items() if jobs and not before.busy[entity]}
    free = {entity for entity, jobs in before.busy.items() if jobs and not after.busy[entity]}
    return {"opened": opened, "closed": closed, "changed": changed, "busy": busy, "free": free}


def _state(job: dict[str, Any]) -> tuple[str, str | None, list[str]]:
    return job["phase"], job["outcome"], [flag for flag in job["flags"] if flag != "overdue"]
