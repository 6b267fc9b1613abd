import random
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ledger.application import Ledger
from ledger.asking.moment import Past
from ledger.domain.events import RecordedEvent
from ledger.errors import JobNotFound
from tests.projections.model import Model
from tests.projections.remembering import ACTIVE, COMMANDS, SEEDS, World
from tests.projections.test_views_agree_with_the_model_at_every_position import _predicted, _told

BEGINNINGS = ("planned", "refused")
INSTANT = timedelta(microseconds=1)
RANDOM = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],  # a seed does not shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@RANDOM
@given(SEEDS)
def test_the_past_agrees_with_the_model_at_every_position(ledger: Ledger, seed: int) -> None:
    """Within an append too, the past is what an independent fold of the events up to there says."""
    world, start = World(seed, uuid.uuid4().hex[:8] + "/"), ledger.position()
    for _ in range(COMMANDS):
        world.say(ledger)
    model = Model()
    for entry in ledger.events(start):
        if entry.event.job not in world.jobs:  # a sweep takes other worlds along
            continue
        model.take([entry])
        if random.Random(entry.position).random() < 0.3:
            _compare(ledger.as_of(entry.position), world, model)


@RANDOM
@given(SEEDS)
def test_the_past_by_the_callers_clocks_agrees_with_the_model(ledger: Ledger, seed: int) -> None:
    """Told in any order, what had occurred by a time is the fold of just those events in the order of their streams."""
    world, choose = World(seed, uuid.uuid4().hex[:8] + "/", timed=True), random.Random(seed)
    for _ in range(COMMANDS):
        world.say(ledger)
    entries = [entry for entry in ledger.events() if entry.event.job in world.jobs]
    times = sorted({entry.event.occurred_at for entry in entries})
    for at in choose.sample(times, min(12, len(times))):
        for moment in (at - INSTANT, at, at + INSTANT):
            model = Model()
            model.take(_occurred_by(entries, moment))
            past = ledger.as_of(moment, occurred=True)
            assert past.position == ledger.position()
            _compare(past, world, model)


def _occurred_by(entries: Iterable[RecordedEvent], moment: Any) -> Iterable[RecordedEvent]:
    begun = set()
    for entry in entries:
        if entry.event.occurred_at <= moment:
            if entry.event.name in BEGINNINGS:
                begun.add(entry.event.job)
            if entry.event.job in begun:
                yield entry


def _compare(past: Past, world: World, model: Model) -> None:
    for job in world.jobs:
        if job in model.jobs:
            view = _told(past.job(job))
            view["flags"] -= {"overdue"}
            assert view == _predicted(model, job)
            assert [below.job for below in past.tree(job)] == model.tree(job)
            assert past.history(job)[-1].position == model.jobs[job]["position"]
        else:
            with pytest.raises(JobNotFound):
                past.job(job)
    for answer in past.busy_all(world.entities):
        assert [view.job for view in answer.jobs] == model.busy(answer.entity.type, answer.entity.id)
    open_jobs = {name for name, job in model.jobs.items() if job["phase"] != "closed" or job["outcome"] == "unknown"}
    live = {name for name in open_jobs if "expired" not in model.jobs[name]["flags"]}
    assert {view.job for view in past.jobs(ACTIVE) if view.job in world.jobs} == live
