import json
from datetime import timedelta

from ledger import clock
from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.domain.retention import PRESETS

BURST = 4_200
LIFE: tuple[dict[str, str], ...] = ({"event": "planned", "type": "Build"}, {"event": "succeeded"})


def test_a_burst_of_jobs_beyond_4096_is_still_answered(ledger: Ledger) -> None:
    """Where Hyper-V forgets, every job stays; under its policy those beyond leave the list and are answered by id."""
    records = [{"job": f"j{n}", **said} for n in range(BURST) for said in LIFE]
    summary = ledger.import_records(json.dumps(record).encode() for record in records)
    assert (summary.recorded, summary.rejected) == (2 * BURST, 0)
    assert sum(1 for _ in ledger.jobs()) == BURST

    forecast = ledger.expiry(PRESETS["hyperv"], limit=BURST - 4_096 + 1)
    assert [tree.cause for tree in forecast] == ["keep_at_most"] * (BURST - 4_096) + ["keep_for"]

    left = ledger.expire(PRESETS["hyperv"])
    assert len(left) == BURST - 4_096
    assert all(tree.closed_at and tree.closed_at + timedelta(minutes=5) > clock.now() for tree in left)
    assert sum(1 for _ in ledger.jobs()) == 4_096
    assert sum(1 for _ in ledger.jobs(JobFilter(expired=True))) == BURST
    assert all(ledger.job(tree.root).ok for tree in left)
