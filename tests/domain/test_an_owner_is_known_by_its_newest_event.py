"""What an owner may do follows from the newest event of its stream, since each is above all before it."""

import random

import pytest

from ledger.domain.owner import owner_after
from ledger.errors import StaleEpoch
from tests.domain.memory import Memory


@pytest.mark.parametrize("seed", range(20))
def test_after_any_starts_and_fences(seed: int) -> None:
    """Which epochs may act, and which is the newest, is the same as by all events."""
    memory, choose = Memory(), random.Random(seed)
    for _ in range(30):
        event = choose.choice(("owner_started", "owner_fenced"))
        try:
            memory.tell("", event, owner="o", epoch=choose.randrange(1, 40))
        except StaleEpoch:
            continue
        whole, newest = memory.owner("o"), owner_after(memory.events[-1])
        assert (newest.version, newest.newest) == (whole.version, whole.newest)
        for epoch in range(45):
            assert (newest.fences(epoch), newest.left_behind(epoch)) == (whole.fences(epoch), whole.left_behind(epoch))
