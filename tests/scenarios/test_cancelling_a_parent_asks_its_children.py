import pytest

from ledger.application import Ledger
from ledger.errors import CancelRequested

CHILDREN = [
    {"job": "done", "type": "Part"},
    {"job": "busy", "type": "Part", "children": [{"job": "deep", "type": "Part"}]},
    {"job": "firm", "type": "Part", "cancellable": False},
]


def test_cancelling_a_parent_asks_its_children(ledger: Ledger) -> None:
    """All that are open are asked in one append; none is closed by that, and nothing new begins."""
    ledger.plan("Whole", job="root", children=CHILDREN)
    ledger.succeed("done")
    position = ledger.position()
    ledger.cancel("root", actor="ann")

    asked = [entry.event for entry in ledger.events(position)]
    open_jobs = ("root", "busy", "firm", "deep")
    assert [(event.job, event.name) for event in asked] == [(job, "cancel_requested") for job in open_jobs]
    assert {view.job for view in ledger.tree("root") if "cancel_requested" in view.flags} == set(open_jobs)
    assert [view.phase for view in ledger.tree("root")] == ["planned", "closed", "planned", "planned", "planned"]
    with pytest.raises(CancelRequested):
        ledger.plan("Part", job="new", parent="busy")
    ledger.succeed("deep")
    assert ledger.job("deep").ok is True
