from datetime import UTC, datetime

import pytest

from ledger.application import Ledger

START = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("told", "percent", "done"),
    [
        ([{"percent": 10}, {"done": 3, "total": 4}], 75.0, 3),
        ([{"done": 3, "total": 4}, {"percent": 80}], 80, None),
        ([{"done": 1, "total": 4}, {"done": 2}], 50.0, 2),
        ([{"percent": 10}, {"message": "copying"}], 10, None),
        ([{"done": 9, "total": 4}], 100.0, 9),
        ([{"done": 9}], None, 9),
        ([{"done": 9, "total": 0}], None, 9),
    ],
)
def test_progress_is_the_measure_told_last(
    ledger: Ledger, told: list[dict[str, float]], percent: float | None, done: int | None
) -> None:
    """A new figure takes the place of one that it overtakes, and of nothing else."""
    ledger.plan("Copy", job="a")
    for said in told:
        ledger.record({"job": "a", "event": "progressed", **said})
    progress = ledger.job("a").progress
    assert progress is not None
    assert (progress["percent"], progress["done"]) == (percent, done)


def test_the_end_is_estimated_from_the_last_progress(ledger: Ledger) -> None:
    """What happens beside does not move it, a word of the executor does, and a closed job has none."""
    ledger.plan("Copy", job="a", at=START)
    ledger.start("a", at=START)
    ledger.progress("a", 50, at="2026-01-01T00:00:10Z")
    ledger.lose_contact("a", at="2026-01-01T01:00:00Z")
    assert ledger.job("a").estimated_end == datetime(2026, 1, 1, 0, 0, 20, tzinfo=UTC)
    ledger.progress("a", 5e-324, at="2026-01-01T00:00:11Z")
    assert ledger.job("a").estimated_end is None
    ledger.progress("a", 60, estimated_end="2026-02-01T00:00:00Z")
    assert ledger.job("a").estimated_end == datetime(2026, 2, 1, tzinfo=UTC)
    ledger.succeed("a", at="2026-01-01T00:01:00Z")
    assert (ledger.job("a").estimated_end, ledger.job("a").elapsed_seconds) == (None, 60.0)
