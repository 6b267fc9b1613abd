import random

import pytest

from ledger.demo.engine import FLOWS
from tests.crashes.boundaries import Boundaries
from tests.crashes.stage import Stage

KILLS_EACH = 10


@pytest.mark.parametrize("kind", sorted(FLOWS))
def test_forty_real_kills_are_recovered_from(stage: Stage, kind: str) -> None:
    """The engine is a process of its own, and `kill -9` takes it in the middle of whatever it does."""
    chance = random.Random(kind)
    for run in range(KILLS_EACH):
        parts, at = chance.randint(1, 8), chance.randint(20, 60)

        def crash(life: int, at: int = at) -> Boundaries:
            return Boundaries(at if life == 0 else None, real=life == 0)

        assert stage.play(kind, parts, f"{kind}/kill/{run}", crash) == []
    assert stage.recovered
