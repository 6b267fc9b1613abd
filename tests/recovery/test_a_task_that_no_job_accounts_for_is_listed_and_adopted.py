from ledger.application import Ledger
from ledger.recovery.orphans import job_of
from ledger.recovery.proposal import Scope
from ledger.recovery.reconcile import Recovery
from tests.recovery.given import listed, outcomes, running, task

STRAYS = listed(
    task("r", "running", raw="RUN", entities=[{"type": "disk", "id": "d1"}]),
    task("f", "failed", error={"code": "E5", "message": "no space"}),
    task("q", "queued", token="t-q"),
    task("s", "suspended"),
)
ADOPT = Scope(adopt=True)


def test_it_is_listed_and_nothing_is_written(ledger: Ledger) -> None:
    running(ledger, "a", "r")

    plan = Recovery(ledger, [STRAYS]).apply()

    assert [it.external_id for it in plan.orphans] == ["f", "q", "s"]
    assert plan.written == 0
    assert Recovery(ledger, [STRAYS]).plan(ADOPT).work


def test_it_is_adopted_in_the_state_in_which_it_was_found(ledger: Ledger) -> None:
    ledger.plan("T", job="other", entities=[{"type": "disk", "id": "d1"}], owner="live", epoch=1)

    Recovery(ledger, [STRAYS]).apply(ADOPT)

    views = [ledger.job(f"adopted/agent/{name}") for name in "rfqs"]
    assert [view.phase for view in views] == ["running", "closed", "queued", "suspended"]
    assert {view.type for view in views} == {"Adopted"}
    assert (views[0].raw, views[1].error, views[2].token) == ("RUN", {"code": "E5", "message": "no space"}, "t-q")
    assert {job.job for job in ledger.busy("disk/d1").jobs} == {"other", "adopted/agent/r"}


def test_adopting_again_adopts_nothing(ledger: Ledger) -> None:
    Recovery(ledger, [STRAYS]).apply(ADOPT)
    before = ledger.position()

    again = Recovery(ledger, [STRAYS]).apply(ADOPT)

    assert (again.orphans, again.written) == ([], 0)
    assert ledger.position() == before


def test_a_planned_job_may_be_any_of_them(ledger: Ledger) -> None:
    """Even where the same run adopts them: what was unaccounted for when it looked stays evidence."""
    ledger.plan("T", job="a")

    Recovery(ledger, [STRAYS]).apply(ADOPT)

    assert outcomes(ledger, ["a"]) == ["unknown"]
    assert ledger.job("a").evidence["count"] == 4


def test_a_task_under_another_jobs_token_is_that_jobs(ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    ledger.plan("T", job="b")
    ledger.submit("b", "agent", "t-b")

    plan = Recovery(ledger, [listed(task("x", "running", token="t-b"))]).apply()

    assert plan.orphans == []
    assert (ledger.job("a").outcome, ledger.job("b").external_id) == ("abandoned", "x")


def test_a_name_too_long_for_a_job_is_shortened_the_same_way_each_time() -> None:
    long = task("x" * 256, "running")

    assert len(job_of(long)) <= 200
    assert job_of(long) == job_of(task("x" * 256, "failed")) != job_of(task("x" * 255, "running"))


def test_an_adopted_task_may_still_be_a_job_that_was_planned_before(ledger: Ledger) -> None:
    """One was given up for it; the other, looked at later, must not be called unsent because of the adoption."""
    for job in ("x", "y"):
        ledger.plan("T", job=job)
    stray = listed(task("e1", "running"))

    Recovery(ledger, [stray]).apply(Scope(job="x", adopt=True))
    ledger.plan("T", job="z")
    Recovery(ledger, [stray]).apply()

    assert outcomes(ledger, ["x", "y", "z"]) == ["unknown", "unknown", "abandoned"]


def test_what_cannot_be_adopted_is_told_and_holds_nobody_up(ledger: Ledger) -> None:
    ledger.plan("Other", job="adopted/agent/e1", owner="live", epoch=1)

    done = Recovery(ledger, [listed(task("e1", "running"), task("e2", "running"))]).apply(ADOPT)

    assert (list(done.errors), done.work) == (["adopted/agent/e1"], True)
    assert ledger.job("adopted/agent/e2").phase == "running"


def test_names_that_read_alike_are_told_apart() -> None:
    assert job_of(task("c", "running", "a/b")) != job_of(task("b/c", "running", "a"))
