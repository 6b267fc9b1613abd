import json
from datetime import timedelta

import pytest

from ledger import clock
from ledger.application import Ledger
from tests.service.cli.conftest import Run, on, plan


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """Five jobs, each different in one way."""
    past = (clock.now() - timedelta(hours=1)).isoformat()
    fresh = clock.now().isoformat()
    ledger.record(plan("silent", entities=[on("disk/d-17")]))
    ledger.record(plan("late", deadline=past, at=fresh))
    ledger.record(plan("tree", at=fresh, children=[{"job": "tree/leaf", "type": "Leaf"}]))
    ledger.record(plan("failed", at=fresh))
    ledger.fail("failed")
    ledger.record(plan("unknown", at=fresh))
    ledger.lose("unknown")
    return ledger


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ((), ["unknown", "failed", "tree/leaf", "tree", "late", "silent"]),
        (("--active",), ["unknown", "tree/leaf", "tree", "late", "silent"]),
        (("--phase", "closed"), ["unknown", "failed"]),
        (("--outcome", "unknown"), ["unknown"]),
        (("--type", "Leaf"), ["tree/leaf"]),
        (("--entity", "disk/d-17"), ["silent"]),
        (("--root", "tree"), ["tree/leaf", "tree"]),
        (("--overdue",), ["late"]),
        (("--silent-for", "30m"), ["silent"]),
        (("--limit", "2"), ["unknown", "failed"]),
        (("--before", "4"), ["tree", "late", "silent"]),
    ],
)
def test_list_narrows_by_what_is_asked(run: Run, told: Ledger, words: tuple[str, ...], jobs: list[str]) -> None:
    lines = run("list", "-o", "jsonl", *words).out.splitlines()

    assert [json.loads(line)["job"] for line in lines] == jobs
