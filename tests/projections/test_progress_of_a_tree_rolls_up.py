import pytest

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.errors import EntityBusy, JobNotFound

VM = [{"type": "vm", "id": "1"}]


def test_progress_of_a_tree_rolls_up(ledger: Ledger) -> None:
    """The jobs without children count, a retry in the place of what it retries, a refused one not at all."""
    ledger.plan("Other", job="other", entities=VM)
    children = [{"job": name, "type": "Part"} for name in ("a", "b", "c")]
    ledger.plan("Whole", job="root", children=children)
    assert ledger.roll_up("root").percent == 0.0
    ledger.succeed("a")
    ledger.progress("b", done=1, total=2)
    ledger.plan("Part", job="c2", parent="root", retry_of="c")
    ledger.fail("c")
    ledger.progress("c2", 30)
    with pytest.raises(EntityBusy):
        ledger.plan("Part", job="d", parent="root", entities=VM)
    found = ledger.roll_up("root")
    assert found.percent == 60.0
    assert (found.jobs, found.position) == (6, ledger.position())
    assert found.phases == {"planned": 1, "closed": 3, "running": 2}
    assert found.outcomes == {"succeeded": 1, "failed": 1, "refused": 1}
    assert ledger.roll_up("c2").percent == 30.0
    with pytest.raises(JobNotFound):
        ledger.roll_up("nobody")


def test_children_are_found_by_outcome(ledger: Ledger) -> None:
    """A parent's children, and those of one outcome."""
    ledger.plan("Whole", job="root", children=[{"job": name, "type": "Part"} for name in ("a", "b")])
    ledger.fail("a")
    assert {view.job for view in ledger.jobs(JobFilter(parent="root"))} == {"a", "b"}
    assert [view.job for view in ledger.jobs(JobFilter(parent="root", outcome="failed"))] == ["a"]
