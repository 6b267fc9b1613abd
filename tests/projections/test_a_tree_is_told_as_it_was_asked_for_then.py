from contextlib import suppress

from ledger.application import Ledger
from ledger.errors import EntityBusy

DISK = [{"type": "disk", "id": "d1"}]


def _ask(ledger: Ledger, parent: str) -> int:
    with suppress(EntityBusy):
        ledger.plan("Copy", job="low", parent=parent, entities=DISK)
    return ledger.position()


def test_a_tree_is_told_as_it_was_asked_for_then(ledger: Ledger) -> None:
    """A job that was refused below one parent and planned below another was below the first one then."""
    ledger.plan("Move", job="holder", entities=DISK)
    for parent in ("one", "two", "three"):
        ledger.plan("Run", job=parent)
    refused = {parent: _ask(ledger, parent) for parent in ("one", "two")}
    ledger.succeed("holder")
    planned = _ask(ledger, "three")

    for position, parent in ((refused["one"], "one"), (refused["two"], "two"), (planned, "three")):
        past = ledger.as_of(position)
        trees = {name: [view.job for view in past.tree(name)] for name in ("one", "two", "three")}
        assert trees == {name: [name, "low"] if name == parent else [name] for name in trees}
    assert ledger.as_of(refused["one"]).job("low").outcome == "refused"
    assert [view.job for view in ledger.as_of(refused["one"] - 1).tree("one")] == ["one"]


def test_refusals_in_a_circle_come_to_an_end(ledger: Ledger) -> None:
    for job, parent in (("a", "a"), ("b", "c"), ("c", "b")):
        ledger.record({"job": job, "event": "refused", "plan": {"type": "Copy", "parent": parent}, "blockers": []})
    past = ledger.as_of(3)
    assert [[view.job for view in past.tree(job)] for job in "abc"] == [["a"], ["b", "c"], ["c", "b"]]
    assert [view.job for view in ledger.as_of(2).tree("b")] == ["b"]
