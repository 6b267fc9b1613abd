from collections.abc import Sequence

import pytest

from ledger.domain.admission import Demand, Held, Holder, blockers, conflicts, demands
from ledger.domain.entities import Access, EntityRef
from ledger.domain.events import Limit
from ledger.domain.job import Job
from tests.domain.memory import NOW, Memory, parts


def _holder(job: str, access: str, root: str = "") -> Holder:
    return Holder(job, "T", root or job, "disk", "d", Access(access), NOW)


class Running:
    """What is running, as two lists."""

    def __init__(self, *held: Holder, present: Sequence[Holder] = ()) -> None:
        self.held, self.counted = held, present

    def against(self, demands: Sequence[Demand], root: str | None) -> Held:
        return Held(self.held)

    def present(self, limit: Limit) -> Held:
        return Held(self.counted)

    def job(self, job: str) -> Job | None:
        return None


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
    asked = Memory().plan("tree", entities=[{"type": "disk", "id": "d"}]).events

    assert [blocker.holder.job for blocker in blockers(asked, running).shown] == ["theirs"]
    assert not blockers((), running)


@pytest.mark.parametrize(("present", "at_most", "in_the_way"), [(0, 1, 0), (1, 2, 0), (2, 2, 2), (0, 0, 1)])
def test_a_limit_counts_the_job_itself(present: int, at_most: int, in_the_way: int) -> None:
    limit = {"type": "T", "entity": {"type": "host", "id": "h"}, "at_most": at_most}
    host = {"type": "host", "id": "h", "access": "shared"}
    asked = Memory().plan("a", entities=[host], limits=[limit]).events
    running = Running(present=[_holder(f"other-{n}", "shared") for n in range(present)])

    found = blockers(asked, running)

    assert found.count == len(found.shown) == in_the_way
    assert all(blocker.as_json()["limit"] == limit for blocker in found.shown)


def test_a_plan_asks_for_what_it_and_its_children_name() -> None:
    memory = Memory()
    disk, host = {"type": "disk", "id": "d"}, {"type": "host", "id": "h", "access": "none"}
    decision = memory.plan("p", entities=[disk, host], children=parts("p/1", entities=[{**disk, "access": "shared"}]))

    assert [(asked.type, asked.access) for asked in demands(decision.events)] == [
        ("disk", "exclusive"),
        ("disk", "shared"),
    ]


def test_a_limit_counts_jobs_of_a_type_on_an_entity() -> None:
    """Two limits that differ in their number alone count the same jobs."""
    limits = [Limit(type="T", entity=EntityRef.parse("host/h1"), at_most=number) for number in (1, 2)]

    assert {limit.counted for limit in limits} == {("T", "host", "h1")}
