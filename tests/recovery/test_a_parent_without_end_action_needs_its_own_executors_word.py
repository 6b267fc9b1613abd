import pytest

from ledger.application import Ledger
from ledger.recovery.reconcile import Recovery
from tests.recovery.given import listed, outcomes, remove_vm, task


def _done_children(ledger: Ledger, end_action: str) -> str:
    job = remove_vm(ledger, 2, sent=2, end_action=end_action)
    for n in (1, 2):
        ledger.succeed(f"rm/d{n}")
    return job


@pytest.mark.parametrize(("state", "outcome"), [("succeeded", "succeeded"), ("failed", "failed"), ("running", None)])
def test_it_says_what_the_executor_says(ledger: Ledger, state: str, outcome: str | None) -> None:
    job = _done_children(ledger, "none")
    ledger.start(job, "agent", "task-of-parent")

    Recovery(ledger, [listed(task("task-of-parent", state))]).apply()

    assert outcomes(ledger, [job]) == [outcome]


def test_without_a_word_it_is_unknown(ledger: Ledger) -> None:
    job = _done_children(ledger, "none")

    Recovery(ledger).apply()

    assert outcomes(ledger, [job]) == ["unknown"]
    assert ledger.resolve(job, "succeeded", "the VM is gone", actor="bob").disposition == "recorded"


def test_one_with_an_end_action_is_listed_as_due(ledger: Ledger) -> None:
    job = _done_children(ledger, "owner")

    plan = Recovery(ledger).plan()

    assert (plan.due, plan.work) == ([job], False)
