import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.application import Ledger
from ledger.errors import AlreadyClaimed, MalformedRecord, StaleEpoch
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble

PARENTS = 20


def _due(ledger: Ledger, count: int = 1) -> list[str]:
    """Parents whose children have closed."""
    for n in range(count):
        ledger.plan("T", job=f"p{n}", end_action="owner", children=[{"job": f"p{n}/c", "type": "C"}])
        ledger.succeed(f"p{n}/c")
    return [f"p{n}" for n in range(count)]


def test_among_many_owners_each_is_claimed_once(conninfo: str, ledger: Ledger) -> None:
    parents = _due(ledger, PARENTS)
    gate = threading.Barrier(4)

    def claim(n: int) -> list[str]:
        with assemble(conninfo) as own, own.start_owner(f"engine-{n}") as engine:
            gate.wait(timeout=30)
            return [job.job for job in engine.claim_closing(limit=PARENTS)]

    with ThreadPoolExecutor(4) as pool:
        claimed = [job for jobs in pool.map(claim, range(4)) for job in jobs]

    assert sorted(claimed) == sorted(parents)
    assert ledger.due_to_close() == []


def test_it_is_taken_over_only_from_one_that_is_fenced(ledger: Ledger) -> None:
    (job,) = _due(ledger)
    with ledger.start_owner("first") as first, ledger.start_owner("second") as second:
        assert [it.job for it in first.claim_closing()] == [job]
        assert second.claim_closing() == []
        with pytest.raises(AlreadyClaimed):
            second.record({"job": job, "event": "closing"})

        ledger.fence("first")
        (taken,) = second.claim_closing()
        assert (taken.job, taken.owner, taken.phase) == (job, "second", "closing")
        with pytest.raises(StaleEpoch):
            first.succeed(job)
        assert second.succeed(job).disposition == "recorded"
    assert ledger.job(job).ok


def test_one_that_died_in_its_end_action_is_listed_until_the_next_takes_it(ledger: Ledger) -> None:
    (job,) = _due(ledger)
    with ledger.start_owner("engine") as dead:
        dead.claim_closing()
    with ledger.start_owner("engine") as own:
        plan = Recovery(own).apply()

        assert (plan.due, plan.written) == ([job], 0)
        assert [it.job for it in own.claim_closing()] == [job]


def test_no_more_than_asked_for_are_claimed(ledger: Ledger) -> None:
    _due(ledger, 5)
    with ledger.start_owner("engine") as own:
        assert len(own.claim_closing(limit=2)) == 2
        assert len(ledger.due_to_close()) == 3


def test_only_an_owner_claims(ledger: Ledger) -> None:
    _due(ledger)
    with pytest.raises(MalformedRecord, match="must name the owner"):
        ledger.claim_closing()
