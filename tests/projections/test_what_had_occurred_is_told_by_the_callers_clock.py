import pytest

from ledger.application import Ledger
from ledger.asking.moment import Past
from ledger.errors import JobNotFound, MalformedRecord

DISK = [{"type": "disk", "id": "d1"}]


def _at(ledger: Ledger, minute: int) -> Past:
    return ledger.as_of(f"2026-01-01T03:{minute:02}:00Z", occurred=True)


def _minute(minute: int) -> str:
    return f"2026-01-01T03:{minute:02}:00Z"


def test_what_was_told_late_counts_from_when_it_occurred(ledger: Ledger) -> None:
    """A whole life told at once is there minute by minute, and what ran on its disk at 03:12 is answered."""
    ledger.plan("Remove", job="a", entities=DISK, at=_minute(5))
    ledger.start("a", at=_minute(10))
    ledger.progress("a", 50, at=_minute(15))
    ledger.succeed("a", at=_minute(20))
    with pytest.raises(JobNotFound, match="as of what had occurred by 2026-01-01T03:04:00Z, as told up to position 4"):
        _at(ledger, 4).job("a")
    assert [_at(ledger, minute).job("a").phase for minute in (5, 10, 19, 20)] == [
        "planned", "running", "running", "closed",
    ]  # fmt: skip
    (found,) = _at(ledger, 12).busy("disk/d1").jobs
    assert (found.elapsed_seconds, found.progress) == (120.0, None)
    assert _at(ledger, 16).job("a").estimated_end is not None
    assert [job.job for job in _at(ledger, 19).jobs()] == ["a"]
    assert not _at(ledger, 20).busy("disk/d1").busy
    assert list(_at(ledger, 20).jobs()) == []


def test_nothing_counts_of_a_job_before_its_plan(ledger: Ledger) -> None:
    """A report by a clock that is behind is no job yet."""
    ledger.plan("Remove", job="a", entities=DISK, at=_minute(5))
    ledger.start("a", at=_minute(3))
    with pytest.raises(JobNotFound):
        _at(ledger, 4).job("a")
    with pytest.raises(JobNotFound):
        _at(ledger, 4).history("a")
    assert not _at(ledger, 4).busy("disk/d1").busy
    assert _at(ledger, 5).job("a").phase == "running"


def test_a_job_that_was_resolved_to_before_it_was_lost_is_closed(ledger: Ledger) -> None:
    """It was lost at 03:30 and found, later, to have ended at 03:10: between the two it had ended."""
    ledger.plan("Remove", job="a", entities=DISK, at=_minute(5))
    ledger.lose("a", at=_minute(30))
    ledger.resolve("a", "succeeded", at=_minute(10))
    view = _at(ledger, 20).job("a")
    assert (view.phase, view.outcome, view.ok) == ("closed", "succeeded", True)
    assert not _at(ledger, 20).busy("disk/d1").busy
    assert _at(ledger, 9).busy("disk/d1").busy


def test_a_position_is_no_time_of_the_callers(ledger: Ledger) -> None:
    ledger.plan("Remove", job="a")
    with pytest.raises(MalformedRecord, match="as of a time, not of a position"):
        ledger.as_of(1, occurred=True)
