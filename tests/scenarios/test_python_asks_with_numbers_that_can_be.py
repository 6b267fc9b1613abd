from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.errors import BadInput, MomentNotFound

NONE = [1 << 63, 10**30, 10**6_000, -(10**30), -1, 1.5, float("nan"), float("inf"), "5", True]

ASKED: dict[str, Callable[[Ledger, Any], object]] = {
    "jobs limit": lambda ledger, number: list(ledger.jobs(limit=number)),
    "jobs before": lambda ledger, number: list(ledger.jobs(before=number)),
    "past limit": lambda ledger, number: list(ledger.as_of(1).jobs(limit=number)),
    "past before": lambda ledger, number: list(ledger.as_of(1).jobs(before=number)),
    "due_to_close": lambda ledger, number: ledger.due_to_close(number),
    "expiry": lambda ledger, number: ledger.expiry(limit=number),
    "expire": lambda ledger, number: ledger.expire(limit=number),
    "claim_closing": lambda ledger, number: ledger.claim_closing(limit=number),
    "page limit": lambda ledger, number: ledger.search("type:T").page(limit=number),
    "page before": lambda ledger, number: ledger.search("type:T").page(before=number),
    "page after": lambda ledger, number: ledger.search("type:T").page(after=number),
    "entries": lambda ledger, number: list(ledger.search("type:T").entries(limit=number)),
    "events": lambda ledger, number: list(ledger.events(number)),
    "watch": lambda ledger, number: next(ledger.watch(number)),
    "as_of": lambda ledger, number: ledger.as_of(number),
    "start_owner": lambda ledger, number: ledger.start_owner("o", lease_seconds=number),
    "wait": lambda ledger, number: ledger.wait("a", number),
    "wait_free": lambda ledger, number: ledger.wait_free("vm/v", number),
}
# What these take and others do not: spans may be parts of a second, and what has passed is over.
TAKEN = [("start_owner", 1.5), *((name, number) for name in ("wait", "wait_free") for number in (1.5, -1, -(10**30)))]


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    ledger.plan("T", job="a", entities=[{"type": "vm", "id": "v"}])
    return ledger


@pytest.mark.parametrize("name", ASKED)
def test_what_is_no_such_number_is_bad_input(told: Ledger, name: str) -> None:
    """Never an error of Python or of the database; the sentence is short, whatever was asked."""
    for number in NONE:
        if (name, number) not in TAKEN:
            with pytest.raises(BadInput) as caught:
                ASKED[name](told, number)
            assert len(str(caught.value)) < 200
    assert told.position() == 1


def test_a_limit_is_of_one_at_least(told: Ledger) -> None:
    for name in (
        "jobs limit",
        "past limit",
        "due_to_close",
        "expiry",
        "expire",
        "claim_closing",
        "page limit",
        "entries",
    ):
        with pytest.raises(BadInput, match="from 1 to"):
            ASKED[name](told, 0)


def test_no_event_has_the_position_0(told: Ledger) -> None:
    with pytest.raises(MomentNotFound):
        told.as_of(0)


@pytest.mark.parametrize("silent_for", [timedelta.max, timedelta.min, timedelta(seconds=-1)])
def test_a_silence_lasts_a_hundred_years_at_most(silent_for: timedelta) -> None:
    with pytest.raises(BadInput):
        JobFilter(silent_for=silent_for)


def test_who_counted_down_to_a_moment_that_has_passed_is_answered_at_once(told: Ledger) -> None:
    from ledger.errors import WaitTimedOut

    for number in (-1, -0.5):
        with pytest.raises(WaitTimedOut):
            told.wait("a", number)
