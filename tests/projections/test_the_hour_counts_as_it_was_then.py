from datetime import timedelta

from ledger import clock
from ledger.application import Ledger
from ledger.asking.answers import JobFilter

INSTANT = timedelta(microseconds=1)


def test_the_hour_counts_as_it_was_then(ledger: Ledger) -> None:
    """Overdue, silent and elapsed are told as of the moment, whatever the hour is now."""
    planned, soon = clock.now(), clock.now() + timedelta(seconds=0.2)
    ledger.plan("Build", job="a", deadline=soon.isoformat(), at=planned)
    ledger.start("a", at=planned)
    while clock.now() < soon:
        pass
    ledger.progress("a", 50)
    before, after = ledger.as_of(2), ledger.as_of(3)
    assert (before.job("a").flags, after.job("a").flags) == ([], ["overdue"])
    assert [len(list(past.jobs(JobFilter(overdue=True)))) for past in (before, after)] == [0, 1]
    assert before.job("a").elapsed_seconds == (before.at - planned).total_seconds()
    silent = JobFilter(silent_for=after.at - planned - 2 * INSTANT)
    just_before = ledger.as_of(after.at - INSTANT)
    assert just_before.position == 2
    assert [len(list(past.jobs(silent))) for past in (just_before, after)] == [1, 0]
    assert after.job("a").estimated_end == ledger.job("a").estimated_end


def test_an_expired_job_had_not_expired_then(ledger: Ledger) -> None:
    ledger.plan("Build", job="a", retention={"keep_for": 0})
    ledger.succeed("a")
    ledger.expire()
    assert [ledger.as_of(position).job("a").flags for position in (2, 3)] == [[], ["expired"]]


def test_a_time_to_come_is_told_as_of_now(ledger: Ledger) -> None:
    """No answer knows the future: the clock of the database is the last word."""
    ledger.plan("Build", job="a")
    past = ledger.as_of(clock.now() + timedelta(days=1))
    assert past.position == 1
    assert past.at < clock.now() + timedelta(hours=1)
