"""What the rows of the views tell of a job, without its events, is what these leave."""

import random
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.domain.job import Job, evolve
from ledger.errors import LedgerError
from ledger.store.connection import configure, connect
from ledger.store.views import Recalled
from projections.inline.views import InlineViews
from tests.projections.histories import JOBS, History

LIMITED = {"type": "Move", "limits": [{"type": "Move", "entity": {"type": "host", "id": "1"}, "at_most": 9}]}
VIEWS = InlineViews()


@pytest.mark.parametrize("seed", range(6))
def test_after_any_history(ledger: Ledger, superuser: str, seed: int) -> None:
    """At ten places of a random history every job has the state, and the views keep, what its stream folds to."""
    history, choose = History(seed), random.Random(seed)
    with suppress(LedgerError):
        ledger.record({"job": choose.choice(JOBS), "event": "planned", **LIMITED})
    with connect(superuser) as session:
        configure(session)
        for _ in range(10):
            for _ in range(40):
                with suppress(LedgerError):
                    ledger.record(history.next())
            _compare(ledger, session)


def test_of_a_parent_whose_end_action_was_taken_and_taken_over(ledger: Ledger, superuser: str) -> None:
    """Who claimed it stays the one who did, whoever answers for the job since, until the job is closed."""
    ledger.plan("Move", job="p", end_action="owner", children=[{"job": "c", "type": "Part"}], params={"closing": 1})
    ledger.succeed("c")
    engine = ledger.start_owner("engine")
    other = ledger.start_owner("other")
    with engine, other, connect(superuser) as session:
        configure(session)
        engine.record({"job": "p", "event": "closing"})
        other.record({"job": "p", "event": "adopted"})

        assert _recalled(session)["p"].job.claimed_by == ("engine", 1)
        _compare(ledger, session)
        session.execute(
            "UPDATE projections.job_status SET document = (document::jsonb - 'claimed_by')::json WHERE job = 'p'"
        )
        assert _recalled(session)["p"].job.claimed_by == ("engine", 1)  # as an earlier release has left it

        ledger.succeed("p")
        assert _recalled(session)["p"].job.claimed_by is None
        _compare(ledger, session)


def test_of_a_parent_that_was_lost_through_a_child(ledger: Ledger, superuser: str) -> None:
    """As long as it is lost, its state says through what."""
    ledger.plan("Move", job="p", end_action="auto", children=[{"job": "c", "type": "Part"}])
    with connect(superuser) as session:
        configure(session)
        ledger.lose("c")
        assert _recalled(session)["p"].job.lost_through_children
        _compare(ledger, session)
        ledger.resolve("c", "failed")
        assert ledger.job("p").outcome == "failed"
        _compare(ledger, session)


def test_of_an_entity_that_was_let_go_and_taken_again(ledger: Ledger, superuser: str) -> None:
    """However often it came and went, and whatever was made in its place."""
    ledger.plan("Move", job="a", entities=[{"type": "vm", "id": "1"}, {"type": "vm", "id": "2"}])
    for second in range(5):
        ledger.detach("a", [{"type": "vm", "id": "1"}], at=f"2026-01-01T00:00:0{second}Z")
        ledger.attach("a", [{"type": "vm", "id": "1"}], at=f"2026-01-01T00:00:1{second}Z")
    ledger.detach("a", [{"type": "vm", "id": "2"}])
    with connect(superuser) as session:
        configure(session)
        _compare(ledger, session)
        made = [{"type": "vm", "id": name, "role": "target", "access": "shared"} for name in ("1", "2", "3")]
        ledger.lose("a", products=made)
        _compare(ledger, session)
        assert [entity.id for entity in _recalled(session)["a"].job.entities] == ["1"]
        ledger.resolve("a", "succeeded", products=made)
        _compare(ledger, session)


def test_one_that_is_not_on_record_is_not_told(superuser: str) -> None:
    """Nor is an answer made up where nothing is asked."""
    with connect(superuser) as session:
        configure(session)

        assert VIEWS.recall(session, ["a"])() == {}
        assert VIEWS.recall(session, [])() == {}


def _recalled(session: psycopg.Connection[Any]) -> dict[str, Recalled]:
    return dict(VIEWS.recall(session, [*JOBS, "a", "p", "c"])())


def _compare(ledger: Ledger, session: psycopg.Connection[Any]) -> None:
    jobs: dict[str, Job] = {}
    kept: dict[str, Any] = {}
    for entry in ledger.events():
        if entry.event.of_job:
            name = entry.event.job
            jobs[name] = evolve(jobs.get(name), entry.event)
            kept[name] = VIEWS.fold(kept.get(name), entry)
    found = _recalled(session)

    assert {name: _sorted(it.job) for name, it in found.items()} == {name: _sorted(it) for name, it in jobs.items()}
    assert {name: _said(it.kept) for name, it in found.items()} == {name: _said(it) for name, it in kept.items()}


def _sorted(job: Job) -> Job:
    return job._replace(entities=tuple(sorted(job.entities, key=lambda entity: (str(entity), entity.role))))


def _said(kept: Any) -> tuple[Any, ...]:
    """What later events are folded on: the document, what the job touches and what it holds."""
    status, stays = kept[:2]
    held = sorted(stays.open.values(), key=str)
    return status.document, status.touched.shown(), stays.root, held
