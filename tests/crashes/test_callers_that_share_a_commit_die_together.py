import random

from ledger.demo.engine import FLOWS
from tests.crashes.stage import Stage

KILLS, TOGETHER = 20, 6


def test_callers_that_share_a_commit_die_together(stage: Stage) -> None:
    """Engines in threads of one process share transactions; the process is killed between any two of its statements."""
    chance = random.Random(stage.__class__.__name__)
    for run in range(KILLS):
        kinds = [(chance.choice(sorted(FLOWS)), chance.randint(1, 4)) for _ in range(TOGETHER)]

        assert stage.play_together(kinds, f"together/{run}", chance.randint(100, 700)) == []
    assert {"abandoned", "succeeded"} <= stage.recovered.keys()
