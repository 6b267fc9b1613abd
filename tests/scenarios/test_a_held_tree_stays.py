from collections.abc import Sequence

import pytest

from ledger.appending import sweep
from ledger.application import Ledger
from ledger.asking.answers import TreeExpiry
from ledger.domain.retention import Retention
from ledger.errors import EntityBusy

AT_ONCE = Retention(keep_for=0)


def _closed_tree(ledger: Ledger, root: str) -> None:
    ledger.plan("Whole", job=root, children=[{"job": f"{root}/part", "type": "Part"}])
    ledger.succeed(f"{root}/part")
    ledger.succeed(root)


def test_a_held_tree_stays(ledger: Ledger) -> None:
    """A hold on any job of it keeps all of it, and the forecast tells whose hold it is; lifted, it leaves."""
    _closed_tree(ledger, "kept")
    _closed_tree(ledger, "gone")
    ledger.hold("kept/part", actor="auditor", reason="ticket 7")
    assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["gone"]
    (tree,) = ledger.expiry(AT_ONCE)
    assert (tree.root, tree.leaves_at, tree.on_hold, tree.on_hold_by) == ("kept", None, True, "auditor")
    assert "on_hold" in ledger.job("kept/part").flags
    ledger.lift_hold("kept/part")
    assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["kept"]


def test_a_hold_on_what_was_refused_stays_when_it_is_planned_again(ledger: Ledger) -> None:
    """Only lifting it ends a hold."""
    disk = {"type": "disk", "id": "d"}
    ledger.plan("T", job="first", entities=[disk])
    with pytest.raises(EntityBusy):
        ledger.plan("T", job="again", entities=[disk])
    ledger.hold("again", actor="auditor")
    ledger.succeed("first")
    ledger.plan("T", job="again", entities=[disk])
    assert ledger.job("again").flags == ledger.as_of(ledger.position()).job("again").flags == ["on_hold"]
    ledger.succeed("again")
    assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["first"]
    assert [tree.on_hold_by for tree in ledger.expiry(AT_ONCE)] == ["auditor"]
    assert [found.entry.event.job for found in ledger.search("is:on_hold event:succeeded").entries()] == ["again"]
    ledger.lift_hold("again")
    assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["again"]


def test_a_hold_that_comes_between_look_and_append_stands(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweeper has chosen the tree already; the hold is recorded first, so the tree stays."""
    _closed_tree(ledger, "a")
    _closed_tree(ledger, "b")
    really = sweep._take_out

    def take_out(tell: sweep.RecordBatch, trees: Sequence[TreeExpiry]) -> list[TreeExpiry]:
        assert [tree.root for tree in trees] == ["a", "b"]
        ledger.hold("a/part")
        return really(tell, trees)

    monkeypatch.setattr(sweep, "_take_out", take_out)
    assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["b"]
    assert [view.job for view in ledger.jobs()] == ["a/part", "a"]
    assert [entry.event.name for entry in ledger.history("a")] == ["planned", "succeeded"]
