from ledger.application import Ledger
from ledger.recovery.proposal import Scope
from ledger.recovery.reconcile import Recovery
from tests.recovery.given import listed, running, task

STILL = listed(task("task-a", "running"), task("task-b", "running", token="t"))


def _left_behind(ledger: Ledger) -> None:
    with ledger.start_owner("engine") as old:
        running(old, "a")
        old.plan("T", job="b")
        old.submit("b", "agent", "t")


def test_it_answers_for_what_stays(ledger: Ledger) -> None:
    _left_behind(ledger)
    with ledger.start_owner("engine") as own:
        Recovery(own, [STILL]).apply()

        for job in ("a", "b"):
            view = ledger.job(job)
            assert (view.phase, view.owner, view.epoch) == ("running", "engine", 2)
        assert ledger.job("b").external_id == "task-b"
        assert not Recovery(own, [STILL]).plan().work
        own.succeed("a")


def test_without_an_owner_nothing_is_written_about_what_stays(ledger: Ledger) -> None:
    _left_behind(ledger)
    ledger.fence("engine")
    ledger.accept("b", "task-b")
    ledger.start("b")
    before = ledger.position()

    plan = Recovery(ledger, [STILL]).apply()

    assert ([it.word for it in plan.verdicts], plan.work, plan.written) == (["stays", "stays"], False, 0)
    assert ledger.position() == before


def test_a_named_owner_goes_on_in_its_epoch_unless_that_is_fenced(ledger: Ledger) -> None:
    _left_behind(ledger)
    with ledger.start_owner("rescuer"):
        pass
    fenced = Scope(fence=("engine",))

    Recovery(ledger, [STILL], as_owner="rescuer").apply(fenced)
    assert (ledger.job("a").owner, ledger.job("a").epoch) == ("rescuer", 1)

    again = Scope(fence=("rescuer",))
    assert Recovery(ledger, [STILL], as_owner="rescuer").plan(again).work
    done = Recovery(ledger, [STILL], as_owner="rescuer").apply(again)
    assert (done.errors, ledger.job("a").owner, ledger.job("a").epoch) == ({}, "rescuer", 2)
    assert not Recovery(ledger, [STILL], as_owner="rescuer").plan().work
