import pytest

from ledger.application import Ledger
from ledger.recovery.reconcile import Recovery
from tests.recovery.given import listed, outcomes, remove_vm, task

DISKS = ["rm/d1", "rm/d2", "rm/d3", "rm/d4"]
BOTH_GONE = listed(task("task-1", "succeeded"), task("task-2", "succeeded"))


@pytest.mark.parametrize("end_action", ["auto", "none", "owner"])
def test_a_parent_fails_when_two_of_four_disks_were_never_sent(ledger: Ledger, end_action: str) -> None:
    job = remove_vm(ledger, end_action=end_action)

    plan = Recovery(ledger, [BOTH_GONE]).plan()
    parent = plan.verdicts[-1]
    assert (parent.job, parent.word, parent.reason) == (job, "failed", "rm/d3, rm/d4 were never sent")
    assert parent.evidence == {"children": ["rm/d3", "rm/d4"]}

    Recovery(ledger, [BOTH_GONE]).apply()

    assert outcomes(ledger, DISKS) == ["succeeded", "succeeded", "abandoned", "abandoned"]
    assert outcomes(ledger, [job]) == ["failed"]
    assert ledger.job(job).evidence == {"children": ["rm/d3", "rm/d4"]}
    assert not any(answer.busy for answer in ledger.busy_all(["vm/v", *(f"disk/d{n}" for n in range(1, 5))]))
    assert not Recovery(ledger, [BOTH_GONE]).plan().work


def test_a_parent_is_unknown_while_nobody_can_say_what_became_of_a_disk(ledger: Ledger) -> None:
    job = remove_vm(ledger, 2, sent=2)

    Recovery(ledger, [listed(task("task-1", "succeeded"))]).apply()
    assert outcomes(ledger, ["rm/d1", "rm/d2", job]) == ["succeeded", "unknown", "unknown"]
    assert [answer.busy for answer in ledger.busy_all(["vm/v", "disk/d1", "disk/d2"])] == [True, False, True]

    Recovery(ledger, [listed(task("task-2", "succeeded"))]).apply()
    assert outcomes(ledger, ["rm/d2", job]) == ["succeeded", "succeeded"]
    assert not ledger.busy("vm/v").busy


def test_a_parent_waits_while_a_disk_is_still_being_removed(ledger: Ledger) -> None:
    job = remove_vm(ledger, 2, sent=2)

    plan = Recovery(ledger, [listed(task("task-1", "succeeded"), task("task-2", "running"))]).apply()

    assert [(verdict.job, verdict.word) for verdict in plan.verdicts] == [
        ("rm/d1", "succeeded"),
        ("rm/d2", "stays"),
        ("rm", "stays"),
    ]
    assert outcomes(ledger, ["rm/d1", "rm/d2", job]) == ["succeeded", None, None]
