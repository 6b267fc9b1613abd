from ledger.application import Ledger


def _plan(ledger: Ledger, job: str, end_action: str) -> None:
    children = [{"job": f"{job}/1", "type": "Part"}, {"job": f"{job}/2", "type": "Part", "required": False}]
    ledger.plan("Whole", job=job, end_action=end_action, children=children)


def test_parents_that_are_due_are_found(ledger: Ledger) -> None:
    """A parent with an owner's end action is due once all its children have closed, and until it is claimed."""
    for job, end_action in (("b", "owner"), ("a", "owner"), ("c", "none")):
        _plan(ledger, job, end_action)
    ledger.plan("Whole", job="childless", end_action="owner")
    for job in ("a", "b", "c"):
        ledger.succeed(f"{job}/1")
    assert ledger.due_to_close() == []
    for job in ("a", "b", "c"):
        ledger.lose(f"{job}/2")
    assert [view.job for view in ledger.due_to_close()] == ["b", "a"]
    assert [view.job for view in ledger.due_to_close(limit=1)] == ["b"]
    ledger.record({"job": "b", "event": "closing", "owner": "engine", "epoch": 1})
    assert [view.job for view in ledger.due_to_close()] == ["a"]
    ledger.fail("a")
    assert ledger.due_to_close() == []
