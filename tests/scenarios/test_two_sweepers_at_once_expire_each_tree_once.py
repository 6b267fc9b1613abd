from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from ledger.application import Ledger
from ledger.domain.retention import Retention
from ledger.service.assembly import assemble

TREES = 40


def test_two_sweepers_at_once_expire_each_tree_once(ledger: Ledger, conninfo: str) -> None:
    """Each tree is told by the one that took it, and leaves by one event a job, whatever their policies are."""
    for number in range(TREES):
        ledger.plan("Whole", job=f"r{number}", children=[{"job": f"r{number}/c", "type": "Part"}])
        ledger.succeed(f"r{number}/c")
        ledger.succeed(f"r{number}")
    policies = (Retention(keep_for=0), Retention(keep_for=0.001))
    with assemble(conninfo) as other, ThreadPoolExecutor(2) as pool:
        sweeps = [
            pool.submit(sweeper.expire, policy) for sweeper, policy in zip((ledger, other), policies, strict=True)
        ]
        left = [tree.root for sweep in sweeps for tree in sweep.result()]
    assert sorted(left) == sorted(f"r{number}" for number in range(TREES))
    expired = Counter(entry.event.job for entry in ledger.events() if entry.event.name == "expired")
    assert set(expired.values()) == {1}
    assert len(expired) == 2 * TREES
