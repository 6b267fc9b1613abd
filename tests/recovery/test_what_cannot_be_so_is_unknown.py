"""An executor, or a late report, that contradicts itself or the ledger says nothing that a verdict can rest on."""

import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy, MalformedRecord
from ledger.executors.protocol import Listing, Task
from ledger.executors.taskfile import ListedExecutor
from ledger.recovery.proposal import Scope
from ledger.recovery.reconcile import Recovery
from tests.recovery.given import listed, outcomes, running, task


def _submitted(ledger: Ledger, job: str = "j", token: str = "t1") -> None:
    ledger.plan("T", job=job)
    ledger.submit(job, "agent", token)


@pytest.mark.parametrize("order", [1, -1])
def test_two_tasks_under_one_token(ledger: Ledger, order: int) -> None:
    _submitted(ledger)
    tasks = [task("e1", "running", token="t1"), task("e2", "failed", token="t1")][::order]

    plan = Recovery(ledger, [listed(*tasks)]).apply()

    assert (outcomes(ledger, ["j"]), plan.orphans) == (["unknown"], [])


def test_a_task_that_is_bound_to_another_job(ledger: Ledger) -> None:
    running(ledger, "b", "e1")
    _submitted(ledger, "a")
    both = listed(task("e1", "running", token="t1"))

    done = Recovery(ledger, [both]).apply()

    assert (outcomes(ledger, ["a", "b"]), done.errors) == (["unknown", None], {})
    assert not Recovery(ledger, [both]).plan().work


def test_a_task_under_the_token_that_is_another_than_the_bound_one(ledger: Ledger) -> None:
    _submitted(ledger)
    ledger.accept("j", "e1")

    Recovery(ledger, [listed(task("e2", "succeeded", token="t1"))]).apply()

    assert outcomes(ledger, ["j"]) == ["unknown"]


def test_an_answer_about_another_task_than_was_asked_for(ledger: Ledger) -> None:
    class Confused(ListedExecutor):
        def ask(self, external_id: str | None, token: str | None) -> Task | None:
            return task("other", "succeeded")

    running(ledger, "j", "e1")
    Recovery(ledger, [Confused(Listing("agent"))]).apply()

    assert outcomes(ledger, ["j"]) == ["unknown"]


def test_a_task_without_a_token_may_be_any_call(ledger: Ledger) -> None:
    """One that carries a token shows that tokens are kept; one that carries none shows that some are not."""
    _submitted(ledger)
    stray = listed(task("e2", "succeeded", token="zz"), task("e3", "running"), complete=True, tokens=True)

    Recovery(ledger, [stray]).apply()

    assert outcomes(ledger, ["j"]) == ["unknown"]


def test_executors_of_one_name(ledger: Ledger) -> None:
    with pytest.raises(MalformedRecord, match="names of their own"):
        Recovery(ledger, [listed(), listed()]).plan()


def test_a_listing_that_could_not_be_had_is_no_listing(ledger: Ledger) -> None:
    class Away(ListedExecutor):
        def list(self) -> Listing:
            return Listing("agent", reachable=False)

    running(ledger, "j")
    plan = Recovery(ledger, [Away(Listing("agent"))]).apply()

    assert ([it.word for it in plan.verdicts], ledger.job("j").flags) == (["contact_lost"], ["contact_lost"])


def test_every_line_about_a_task_counts(ledger: Ledger) -> None:
    """One line names it by id and token, a newer one by its id alone."""
    _submitted(ledger)
    lines = (task("e1", "running", token="t1"), task("e1", "succeeded"))

    plan = Recovery(ledger, [listed(*lines, complete=True, tokens=True)]).apply(Scope(adopt=True))

    assert (outcomes(ledger, ["j"]), plan.orphans, ledger.job("j").external_id) == (["succeeded"], [], "e1")


def test_a_late_report_of_an_earlier_life_does_not_count(ledger: Ledger) -> None:
    vm = [{"type": "vm", "id": "v"}]
    ledger.plan("T", job="a", entities=vm)
    with pytest.raises(EntityBusy):
        ledger.plan("T", job="b", entities=vm)
    assert ledger.succeed("b").disposition == "late"
    ledger.succeed("a")
    ledger.plan("T", job="b", entities=vm)

    Recovery(ledger).apply()

    assert outcomes(ledger, ["b"]) == ["abandoned"]
