"""As of a time, in a ledger whose positions have gaps and whose times do not only go on."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.application import Ledger
from ledger.errors import MomentNotFound
from tests.integrity.wounds import leave_gap, owner_of, set_time

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def _at(minute: float) -> datetime:
    return BEGUN + timedelta(minutes=minute)


@pytest.fixture
def timed(superuser: str, ledger: Ledger) -> Ledger:
    """Forty jobs, one a minute, each at the position of its minute."""
    for n in range(1, 41):
        ledger.plan("T", job=f"j{n}")
    with owner_of(superuser) as admin:
        for n in range(1, 41):
            set_time(admin, n, f"'{_at(n).isoformat()}'")
    return ledger


def _jobs(ledger: Ledger, moment: datetime | int) -> set[str]:
    return {job.job for job in ledger.as_of(moment).jobs()}


def test_every_time_is_found_beside_gaps(superuser: str, timed: Ledger) -> None:
    """The last event at or before a time, whatever is missing, at the beginning, in the middle or by the dozen."""
    gaps = [*range(1, 3), 9, *range(20, 33), 39]
    with owner_of(superuser) as admin:
        for position in gaps:
            leave_gap(admin, position)
    there = [position for position in range(1, 41) if position not in gaps]
    for minute in range(2, 42):
        expected = [position for position in there if position <= minute]
        if not expected:
            with pytest.raises(MomentNotFound, match="the first event is of"):
                timed.as_of(_at(minute))
            continue
        assert timed.as_of(_at(minute)).position == expected[-1]
    assert _jobs(timed, _at(33)) == {f"j{position}" for position in there if position <= 33}


def test_a_position_without_an_event_is_told_as_it_stood_before(superuser: str, timed: Ledger) -> None:
    """Its time is that of the event before it, and the answers are those of that."""
    with owner_of(superuser) as admin:
        leave_gap(admin, 9, 11)
    assert timed.as_of(10).at == _at(8)
    assert _jobs(timed, 10) == _jobs(timed, 8) == {f"j{n}" for n in range(1, 9)}
    with pytest.raises(MomentNotFound, match="the ledger goes from 1 to 40"):
        timed.as_of(41)


@pytest.mark.parametrize("expression", ["'infinity'", "'9998-01-01Z'", "now() + interval '2 days'"])
@pytest.mark.parametrize(("first", "last"), [(20, 20), (10, 30), (20, 21)])
def test_times_ahead_of_the_clock_mislead_nobody(
    superuser: str, timed: Ledger, first: int, last: int, expression: str
) -> None:
    """An event ahead of the clock counts with the one before it; every time around it is answered as before."""
    with owner_of(superuser) as admin:
        for position in range(first, last + 1):
            set_time(admin, position, expression)
    for minute in range(1, 42):
        expected = last if first - 1 <= minute <= last else min(minute, 40)
        assert timed.as_of(_at(minute)).position == expected
    assert timed.as_of(first).at == _at(first - 1)
    assert timed.job(f"j{first}").job in _jobs(timed, datetime.now(UTC))
    assert timed.as_of(first).job(f"j{first}").job == f"j{first}"


def test_the_last_event_may_be_ahead_of_the_clock(superuser: str, timed: Ledger) -> None:
    """As of now it is there, for it cannot have been recorded later."""
    with owner_of(superuser) as admin:
        set_time(admin, 40, "'infinity'")
    assert timed.as_of(datetime.now(UTC)).position == 40


@pytest.mark.parametrize(("first", "last"), [(20, 20), (18, 22), (31, 33)])
def test_times_that_went_back_mislead_nobody(superuser: str, timed: Ledger, first: int, last: int) -> None:
    """Events of one statement that was forged to be of 1999 are not found before those in front of them."""
    with owner_of(superuser) as admin:
        for position in range(first, last + 1):
            set_time(admin, position, "'1999-01-01Z'")
    for minute in range(1, 42):
        expected = last if first - 1 <= minute <= last else min(minute, 40)
        assert timed.as_of(_at(minute)).position == expected
