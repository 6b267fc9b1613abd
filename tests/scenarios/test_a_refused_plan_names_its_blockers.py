from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy


def _disks(*names: str, access: str = "exclusive") -> list[dict[str, Any]]:
    return [{"type": "disk", "id": name, "access": access} for name in names]


def test_a_refused_plan_names_its_blockers(ledger: Ledger) -> None:
    """Every job in the way is told, oldest first, to the caller and to whoever asks later; the tree stays unplanned."""
    ledger.plan("Backup", job="old", entities=_disks("1", access="shared"), owner="engine", epoch=3)
    ledger.plan("Move", job="new", entities=_disks("2"))
    with pytest.raises(EntityBusy) as caught:
        ledger.plan(
            "RemoveVm", job="vm", children=[{"job": f"disk{n}", "type": "Remove", "entities": _disks(n)} for n in "123"]
        )
    blockers = caught.value.facts["blockers"]
    told = [(found["job"], found["type"], found["entity"]["id"], found["access"], found["owner"]) for found in blockers]
    assert told == [("old", "Backup", "1", "shared", "engine"), ("new", "Move", "2", "exclusive", None)]
    view = ledger.job("vm")
    assert (view.phase, view.outcome, view.ok, view.type) == ("closed", "refused", False, "RemoveVm")
    on_record = [{name: said for name, said in found.items() if name != "progress"} for found in blockers]
    assert view.evidence == {"blockers": on_record}
    assert [found.job for found in ledger.tree("vm")] == ["vm"]
    assert not ledger.busy("disk/3").busy
