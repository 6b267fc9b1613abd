from typing import Any

from ledger.application import Ledger

DISK = "disk/d-17"


def _on(access: str) -> list[dict[str, Any]]:
    return [{"type": "disk", "id": "d-17", "access": access}]


def test_who_works_on_a_disk_is_answered_at_once(ledger: Ledger) -> None:
    """From plan to end each acknowledged transition is in the answer, with its phase and its position."""
    assert ledger.busy(DISK).as_json() == {
        "entity": {"type": "disk", "id": "d-17"}, "busy": False, "count": 0, "jobs": [], "position": 0,
    }  # fmt: skip
    ledger.plan("Backup", job="backup", entities=_on("shared"), owner="engine", epoch=1)
    ledger.plan("Scan", job="scan", entities=_on("shared"))
    receipt = ledger.start("scan", "agent", "x-1")

    answer = ledger.busy(DISK)
    assert answer.position == receipt.position
    assert [(view.job, view.phase, view.owner) for view in answer.jobs] == [
        ("backup", "planned", "engine"),
        ("scan", "running", None),
    ]
    assert [entity["access"] for view in answer.jobs for entity in view.entities] == ["shared", "shared"]

    ledger.succeed("backup")
    ledger.detach("scan", [{"type": "disk", "id": "d-17"}])
    assert not ledger.busy(DISK).busy
    assert [len(found.jobs) for found in ledger.busy_all([DISK, "vm/none", DISK])] == [0, 0, 0]
    assert ledger.busy_all([]) == ledger.as_of(1).busy_all([]) == []


def test_a_job_of_which_nobody_can_say_keeps_its_disk_busy(ledger: Ledger) -> None:
    """Lost, it counts as active until somebody finds out."""
    ledger.plan("Backup", job="backup", entities=_on("exclusive"))
    ledger.lose("backup", {"asked": "agent"})
    assert [view.outcome for view in ledger.busy(DISK).jobs] == ["unknown"]
    ledger.resolve("backup", "failed", {"log": "no space"})
    assert not ledger.busy(DISK).busy
