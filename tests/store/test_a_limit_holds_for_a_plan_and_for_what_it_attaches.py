from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy
from ledger.records.importer import Rejected


def _relocate(ledger: Ledger, job: str, host: str | None = "h1", at_most: int = 2) -> None:
    limit = {"type": "RelocateDisk", "entity": {"type": "host", "id": "h1"}, "at_most": at_most}
    ledger.plan("RelocateDisk", job=job, entities=[_host(host)] if host else [], limits=[limit])


def _host(name: str) -> dict[str, Any]:
    return {"type": "host", "id": name, "role": "location", "access": "shared"}


def test_a_limit_holds_for_a_plan(ledger: Ledger) -> None:
    ledger.plan("Backup", job="other", entities=[_host("h1")])
    _relocate(ledger, "a")
    _relocate(ledger, "b")

    with pytest.raises(EntityBusy, match="at most 2 RelocateDisk on host/h1") as refused:
        _relocate(ledger, "c")

    assert [blocker["job"] for blocker in refused.value.facts["blockers"]] == ["a", "b"]
    assert ledger.job("c").outcome == "refused"
    ledger.succeed("a")
    _relocate(ledger, "c")
    assert ledger.job("c").phase == "planned"


def test_a_limit_holds_again_for_what_is_attached(ledger: Ledger) -> None:
    _relocate(ledger, "a", at_most=1)
    _relocate(ledger, "late", host=None, at_most=1)

    with pytest.raises(EntityBusy, match="at most 1"):
        ledger.attach("late", [_host("h1")])
    assert not ledger.job("late").entities
    ledger.fail("a")
    ledger.attach("late", [_host("h1")])
    assert ledger.busy("host/h1").jobs[0].job == "late"


def test_what_is_attached_elsewhere_is_not_held_against_a_limit(ledger: Ledger) -> None:
    """A job that never stated the limit joined; that must not stop the one that did from touching something else."""
    _relocate(ledger, "a", at_most=1)
    ledger.plan("RelocateDisk", job="b", entities=[_host("h1")])

    ledger.attach("a", [{"type": "disk", "id": "d1"}])
    with pytest.raises(EntityBusy):
        ledger.attach("a", [_host("h1") | {"role": "target"}])


def test_a_limit_counts_a_tree_that_is_planned_at_once(ledger: Ledger) -> None:
    limit = {"type": "RelocateDisk", "entity": {"type": "host", "id": "h1"}, "at_most": 2}
    children = [{"job": f"p/{n}", "type": "RelocateDisk", "entities": [_host("h1")]} for n in range(3)]

    with pytest.raises(EntityBusy):
        ledger.plan("Campaign", job="p", limits=[limit], children=children)
    ledger.plan("Campaign", job="p", limits=[limit], children=children[:2])


def test_the_jobs_of_one_append_count_for_each_other(ledger: Ledger) -> None:
    rejected: list[Rejected] = []
    plan = (
        '{"job":"j%d","event":"planned","type":"RelocateDisk","entities":[{"type":"host","id":"h1","access":"shared"}],'
        '"limits":[{"type":"RelocateDisk","entity":{"type":"host","id":"h1"},"at_most":2}]}'
    )

    ledger.import_records(((plan % n).encode() for n in range(5)), admit=True, on_reject=rejected.append)

    assert [entry.number for entry in rejected] == [3, 4, 5]
    assert len(ledger.busy("host/h1").jobs) == 2
    summary = ledger.import_records([plan.encode() % 9])
    assert (summary.recorded, summary.overlaps) == (1, 0)
