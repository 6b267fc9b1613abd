import pytest

from ledger.application import Ledger
from ledger.errors import OwnerNotFound, StaleEpoch
from ledger.recovery.proposal import Scope
from ledger.recovery.reconcile import Recovery
from tests.recovery.given import listed, outcomes, running, task


def _engines(ledger: Ledger) -> None:
    """One job of a live owner, one that an earlier epoch left behind, one without owner."""
    for name in ("dead", "live"):
        with ledger.start_owner(name) as own:
            running(own, name)
    with ledger.start_owner("dead"):
        pass
    running(ledger, "nobodys")


def test_a_live_owners_job_is_left_alone(ledger: Ledger) -> None:
    _engines(ledger)

    Recovery(ledger).apply()

    assert outcomes(ledger, ["dead", "live", "nobodys"]) == ["unknown", None, "unknown"]


def test_even_a_closed_job_of_a_live_owner_is_not_disputed(ledger: Ledger) -> None:
    _engines(ledger)
    with ledger.start_owner("live") as own:
        own.plan("T", job="quick")
        own.start("quick", "agent", "task-quick")
        own.succeed("quick")

    plan = Recovery(ledger, [listed(task("task-quick", "running"), task("task-dead", "running"))]).plan()

    assert "quick" not in {verdict.job for verdict in plan.verdicts}


def test_one_owner_or_one_tree_can_be_asked_for(ledger: Ledger) -> None:
    _engines(ledger)

    assert [it.job for it in Recovery(ledger).plan(Scope(owner="dead")).verdicts] == ["dead"]
    assert [it.job for it in Recovery(ledger).plan(Scope(job="nobodys")).verdicts] == ["nobodys"]
    assert Recovery(ledger).plan(Scope(owner="live")).verdicts == []


def test_an_owner_that_never_returns_is_fenced_by_name(ledger: Ledger) -> None:
    _engines(ledger)
    scope = Scope(owner="live", fence=("live",))

    plan = Recovery(ledger).plan(scope)
    assert (plan.fences, [it.word for it in plan.verdicts], plan.work) == (["live"], ["unknown"], True)
    assert outcomes(ledger, ["live"]) == [None]

    done = Recovery(ledger).apply(scope)
    assert (done.fences, done.written) == (["live"], 2)
    assert outcomes(ledger, ["live"]) == ["unknown"]
    assert not Recovery(ledger).plan(scope).work


def test_an_owner_that_never_said_that_it_started_is_fenced_too(ledger: Ledger) -> None:
    running(ledger, "numbered", owner="old", epoch=7)
    running(ledger, "named", owner="older")

    assert Recovery(ledger).plan().verdicts == []
    Recovery(ledger).apply(Scope(fence=("old", "older")))

    assert outcomes(ledger, ["numbered", "named"]) == ["unknown", "unknown"]
    with ledger.start_owner("old") as own:
        assert own.owner is not None
        assert own.owner.epoch == 8


def test_an_owner_that_has_only_closed_jobs_is_fenced_with_its_epoch(ledger: Ledger) -> None:
    ledger.plan("T", job="j", owner="e", epoch=5)
    ledger.succeed("j", owner="e", epoch=5)

    Recovery(ledger).apply(Scope(fence=("e",)))

    with pytest.raises(StaleEpoch):
        ledger.plan("T", job="j2", owner="e", epoch=5)


@pytest.mark.parametrize("scope", [Scope(owner="enigne"), Scope(fence=("enigne",))])
def test_a_name_that_never_was_is_told(ledger: Ledger, scope: Scope) -> None:
    _engines(ledger)

    with pytest.raises(OwnerNotFound, match="enigne"):
        Recovery(ledger).plan(scope)
    with pytest.raises(OwnerNotFound):
        Recovery(ledger).apply(scope)
