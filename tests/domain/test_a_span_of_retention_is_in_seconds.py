from datetime import timedelta

from ledger.domain.retention import PRESETS, Retention
from ledger.domain.states import Outcome, ok


def test_a_policy_prints_as_seconds_and_reads_back() -> None:
    policy = Retention(keep_for=timedelta(minutes=5), keep_at_most=2, dwell=timedelta(seconds=0.5))

    printed = policy.model_dump(mode="json")

    assert printed == {"keep_for": 300, "keep_at_most": 2, "dwell": 0.5}
    assert Retention.model_validate(printed) == policy


def test_the_presets_are_those_of_the_contract() -> None:
    assert PRESETS["default"] == Retention(keep_for=timedelta(days=90), keep_at_most=None)
    assert PRESETS["hyperv"] == Retention(keep_for=timedelta(minutes=5), keep_at_most=4_096)


def test_a_job_went_well_or_not_or_nobody_can_say() -> None:
    assert {outcome: ok(outcome) for outcome in Outcome if ok(outcome) is not False} == {
        Outcome.SUCCEEDED: True,
        Outcome.UNKNOWN: None,
    }
    assert ok(None) is None
