import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy

DISK = [{"type": "disk", "id": "1"}]


def test_a_refused_job_shows_its_newest_plan(ledger: Ledger) -> None:
    """Refused twice it is what was asked last; planned at last it begins anew."""
    ledger.plan("Move", job="holder", entities=DISK)
    for kind in ("Copy", "Erase"):
        with pytest.raises(EntityBusy):
            ledger.plan(kind, job="a", entities=DISK, params={"kind": kind}, deadline="2030-01-01T00:00:00Z")
        view = ledger.job("a")
        assert (view.type, view.params, view.outcome, view.entities) == (kind, {"kind": kind}, "refused", [])
        assert [blocker["job"] for blocker in view.evidence["blockers"]] == ["holder"]
        assert view.deadline is not None
    ledger.succeed("holder")
    ledger.plan("Erase", job="a", entities=DISK)
    view = ledger.job("a")
    assert (view.phase, view.outcome, view.closed_at, view.evidence, view.version) == ("planned", None, None, None, 3)


def test_a_refused_child_comes_after_its_parent(ledger: Ledger) -> None:
    """A tree begins with the job that was asked for, and holds what was refused below it."""
    ledger.plan("Move", job="holder", entities=DISK)
    ledger.plan("Run", job="root", children=[{"job": "mid", "type": "Run"}])
    with pytest.raises(EntityBusy):
        ledger.plan("Copy", job="low", parent="mid", entities=DISK)
    assert [view.job for view in ledger.tree("root")] == ["root", "mid", "low"]
    assert [view.job for view in ledger.tree("mid")] == ["mid", "low"]


def test_a_refusal_that_names_itself_as_parent_harms_nobody(ledger: Ledger) -> None:
    """Imported in a circle, refused jobs are a tree each, and asking for one comes to an end."""
    for job, parent in (("a", "a"), ("b", "c"), ("c", "b")):
        plan = {"type": "Copy", "parent": parent, "retention": "hyperv"}
        ledger.record({"job": job, "event": "refused", "plan": plan, "blockers": []})
    assert [view.job for view in ledger.tree("a")] == ["a"]
    assert {view.job for view in ledger.tree("b")} == {"b", "c"}
    assert ledger.roll_up("b").jobs == 2
    assert {tree.root: tree.policy.keep_at_most for tree in ledger.expiry()} == {"a": 4_096, "b": 4_096, "c": 4_096}
