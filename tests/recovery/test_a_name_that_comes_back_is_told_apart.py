import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.application import Ledger
from ledger.errors import StaleEpoch
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble
from tests.recovery.given import outcomes, running


def test_the_earlier_epoch_is_fenced_and_its_report_kept_as_late(ledger: Ledger) -> None:
    with ledger.start_owner("pod") as sleeper:
        running(sleeper, "a")
        with ledger.start_owner("pod") as own:
            assert (sleeper.owner, own.owner) == (("pod", 1), ("pod", 2))

            with pytest.raises(StaleEpoch):
                sleeper.succeed("a", {"bytes": 1})
            with pytest.raises(StaleEpoch):
                sleeper.plan("T", job="b")

            assert ledger.job("a").phase == "running"
            assert ledger.history("a")[-1].event.name == "late"
            Recovery(own).apply()
    assert (ledger.job("a").outcome, ledger.job("a").result) == ("succeeded", {"bytes": 1})


def test_a_report_that_comes_after_recovery_resolves_at_the_next(ledger: Ledger) -> None:
    with ledger.start_owner("pod") as sleeper:
        running(sleeper, "a")
        ledger.fence("pod")
        Recovery(ledger).apply()
        assert outcomes(ledger, ["a"]) == ["unknown"]

        with pytest.raises(StaleEpoch):
            sleeper.fail("a", {"message": "no space"})

    assert outcomes(ledger, ["a"]) == ["unknown"]
    Recovery(ledger).apply()
    assert (ledger.job("a").outcome, ledger.job("a").error) == ("failed", {"message": "no space"})


def test_many_that_start_at_once_get_an_epoch_each(conninfo: str) -> None:
    gate = threading.Barrier(8)

    def start(_: int) -> int:
        with assemble(conninfo) as ledger:
            gate.wait(timeout=30)
            with ledger.start_owner("pod") as own:
                assert own.owner is not None
                return own.owner.epoch

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(start, range(8))) == list(range(1, 9))
