from ledger.application import Ledger
from ledger.domain.retention import Retention

FEW = Retention(keep_for=3_600, keep_at_most=2)


def _close(ledger: Ledger, job: str, actor: str, parts: int = 0) -> None:
    children = [{"job": f"{job}/{part}", "type": "Part"} for part in range(parts)]
    ledger.plan("Whole", job=job, actor=actor, children=children)
    for child in children:
        ledger.fail(child["job"])
    ledger.fail(job)


def test_one_clients_burst_expires_nobody_elses_jobs(ledger: Ledger) -> None:
    """`keep_at_most` counts the jobs of one actor, the last closed first; an open tree counts for nothing."""
    _close(ledger, "quiet", "ann")
    ledger.plan("Whole", job="open", actor="bob")
    for number in range(4):
        _close(ledger, f"burst{number}", "bob")
    left = ledger.expire(FEW)
    assert [(tree.root, tree.cause) for tree in left] == [("burst0", "keep_at_most"), ("burst1", "keep_at_most")]
    assert {view.job for view in ledger.jobs()} == {"quiet", "open", "burst2", "burst3"}


def test_jobs_are_counted_not_trees(ledger: Ledger) -> None:
    """A tree leaves whole once it does not fit whole."""
    _close(ledger, "pair", "bob", parts=1)
    _close(ledger, "one", "bob")
    assert [tree.root for tree in ledger.expire(FEW)] == ["pair"]


def test_no_tree_leaves_within_its_dwell(ledger: Ledger) -> None:
    """The minimum goes before the number."""
    for number in range(4):
        _close(ledger, f"burst{number}", "bob")
    assert ledger.expire(FEW.model_copy(update={"dwell": FEW.keep_for})) == []
