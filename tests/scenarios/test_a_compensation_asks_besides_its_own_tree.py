from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import JobNotFound


def _on(*names: str, access: str = "shared") -> list[dict[str, Any]]:
    return [{"type": "disk", "id": name, "access": access} for name in names]


def test_a_compensation_asks_besides_its_own_tree(ledger: Ledger) -> None:
    """From any job of the tree, one question tells who else is active on what it is about to restore."""
    parts = [{"job": f"move/{n}", "type": "MoveDisk", "entities": _on(n)} for n in "12"]
    ledger.plan("MoveVm", job="move", children=parts)
    ledger.plan("Backup", job="other", entities=_on("2"))
    disks = ["disk/1", "disk/2", "disk/3"]
    for job in ("move", "move/1"):
        answers = ledger.busy_all(disks, besides=job)
        assert [[view.job for view in answer.jobs] for answer in answers] == [[], ["other"], []]
        assert {answer.position for answer in answers} == {4}
    assert [view.job for view in ledger.busy("disk/2", besides="other").jobs] == ["move/2"]


def test_both_narrowings_are_asked_at_once(ledger: Ledger) -> None:
    ledger.plan("Move", job="mine", entities=_on("1"))
    ledger.plan("Backup", job="theirs", entities=_on("1"))
    assert [view.job for view in ledger.busy("disk/1", would="exclusive", besides="mine").jobs] == ["theirs"]
    assert not ledger.busy("disk/1", would="shared", besides="mine").busy


def test_a_job_that_is_closed_still_has_its_tree(ledger: Ledger) -> None:
    """A compensation runs when what failed is over, and the rest of its tree may still be active."""
    ledger.plan("MoveVm", job="move", children=[{"job": f"move/{n}", "type": "T", "entities": _on(n)} for n in "12"])
    ledger.fail("move/1")
    assert not ledger.busy("disk/2", besides="move/1").busy


def test_besides_a_job_that_never_was_is_not_found(ledger: Ledger) -> None:
    """Rather than an answer that leaves nobody out; also where nothing is active."""
    with pytest.raises(JobNotFound):
        ledger.busy("disk/1", besides="never")
