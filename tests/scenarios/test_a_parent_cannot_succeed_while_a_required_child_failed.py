import pytest

from ledger.application import Ledger
from ledger.errors import ChildrenNotSucceeded


def test_a_parent_cannot_succeed_while_a_required_child_failed(ledger: Ledger) -> None:
    """The report is refused and names the child; a retry that succeeds opens the way, an optional child never bars."""
    children = [{"job": f"disk{number}", "type": "RemoveDisk"} for number in (1, 2)]
    ledger.plan("RemoveVm", job="vm", children=[*children, {"job": "note", "type": "Notify", "required": False}])
    ledger.succeed("disk1")
    ledger.fail("note")
    ledger.plan("RemoveDisk", job="disk2-again", parent="vm", retry_of="disk2")
    ledger.fail("disk2")
    position = ledger.position()
    with pytest.raises(ChildrenNotSucceeded) as caught:
        ledger.succeed("vm")
    assert caught.value.facts["children"] == ["disk2-again"]
    assert (ledger.job("vm").done, ledger.position()) == (False, position)

    ledger.succeed("disk2-again")
    ledger.succeed("vm")
    assert ledger.job("vm").ok is True
