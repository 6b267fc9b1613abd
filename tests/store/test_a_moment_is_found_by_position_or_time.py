from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ledger import clock
from ledger.application import Ledger
from ledger.domain.values import POSITION_MAX
from ledger.errors import MalformedRecord, MomentNotFound, TimeOutOfRange
from ledger.service.assembly import assemble

INSTANT = timedelta(microseconds=1)


def test_a_moment_is_found_by_position_or_time(ledger: Ledger) -> None:
    """Each time finds the last position recorded at or before it, that of a whole append."""
    for number in range(40):
        ledger.plan("Build", job=f"j{number}", children=[{"job": f"j{number}/c", "type": "T"}])
    recorded = [(entry.position, entry.recorded_at) for entry in ledger.events()]
    assert [(ledger.as_of(position).position, ledger.as_of(position).at) for position, _ in recorded] == recorded
    for _, at in recorded[2:]:
        for moment in (at - INSTANT, at, at + INSTANT):
            last = max(position for position, recorded_at in recorded if recorded_at <= moment)
            found = ledger.as_of(moment)
            assert (found.position, found.at) == (last, moment)


@pytest.mark.parametrize("position", [0, 2, POSITION_MAX])
def test_a_position_that_no_event_has_is_not_found(ledger: Ledger, position: int) -> None:
    with pytest.raises(MomentNotFound, match="the ledger is empty"):
        ledger.as_of(position)
    ledger.plan("Build", job="a")
    with pytest.raises(MomentNotFound, match="the ledger goes from 1 to 1") as caught:
        ledger.as_of(position)
    assert caught.value.facts == {"position": position, "head": 1}


def test_a_time_before_the_first_event_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(MomentNotFound, match="the ledger is empty"):
        ledger.as_of(datetime.now(UTC))
    ledger.plan("Build", job="a")
    first = ledger.as_of(1).at
    with pytest.raises(MomentNotFound, match="the first event is of"):
        ledger.as_of(first - INSTANT)


def test_a_time_says_its_zone(ledger: Ledger) -> None:
    with pytest.raises(TimeOutOfRange):
        ledger.as_of(datetime(2026, 1, 1))  # noqa: DTZ001 - which is what is wrong
    with pytest.raises(MalformedRecord):
        ledger.as_of("yesterday")


def test_a_clock_that_went_back_is_told_with_what_is_asked_by_time(superuser: str) -> None:
    """What is recorded meanwhile bears the time of the last event, and so is not found as of now."""
    with assemble(superuser) as ledger:
        ledger.plan("T", job="a")
        assert "ahead of the clock" not in str(ledger.as_of(clock.now()))
        ledger.plan("T", job="b")
        with psycopg.connect(superuser, autocommit=True) as owner:
            owner.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER refuse_change")
            owner.execute("UPDATE ledger.stored_events SET recorded_at = now() + '100 s' WHERE notification_id = 2")

        past = ledger.as_of(clock.now())

        assert past.position == 1
        assert 90 < past.as_of.ahead_seconds <= 100
        assert "s ahead of the clock, and until then events bear its time" in str(past)
