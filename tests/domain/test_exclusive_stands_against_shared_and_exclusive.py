from collections.abc import Sequence

import pytest

from ledger.admission import Demand, Holder, blockers, conflicts, demands
from ledger.domain.entities import Access
from tests.domain.memory import NOW, Memory, parts


def _holder(job: str, access: str, root: str = "") -> Holder:
    return Holder(job, root or job, "disk", "d", Access(access), NOW)


class Running:
    def __init__(self, *held: Holder) -> None:
        self.held = held

    def holders(self, demands: Sequence[Demand]) -> Sequence[Holder]:
        return self.held


@pytest.mark.parametrize(
    ("asked", "held", "stands"),
    [
        ("exclusive", "exclusive", True),
        ("exclusive", "shared", True),
        ("shared", "exclusive", True),
        ("shared", "shared", False),
        ("exclusive", "none", False),
        ("none", "exclusive", False),
    ],
)
def test_what_stands_against_what(asked: str, held: str, stands: bool) -> None:
    assert conflicts(Demand("disk", "d", Access(asked)), _holder("a", held)) is stands
    assert not conflicts(Demand("disk", "other", Access(asked)), _holder("a", held))


def test_its_own_tree_never_blocks_a_job() -> None:
    running = Running(_holder("mine", "exclusive", root="tree"), _holder("theirs", "shared"))
    asked = [Demand("disk", "d", Access.EXCLUSIVE)]

    assert [holder.job for holder in blockers("tree", asked, running)] == ["theirs"]
    assert blockers("tree", [], running) == []


def test_a_plan_asks_for_what_it_and_its_children_name() -> None:
    memory = Memory()
    disk, host = {"type": "disk", "id": "d"}, {"type": "host", "id": "h", "access": "none"}
    decision = memory.plan("p", entities=[disk, host], children=parts("p/1", entities=[{**disk, "access": "shared"}]))

    assert [(asked.type, asked.access) for asked in demands(decision.events)] == [
        ("disk", "exclusive"),
        ("disk", "shared"),
    ]
