from collections.abc import Callable

import pytest

from ledger.application import Ledger
from ledger.demo.fake.executor import FakeExecutor
from ledger.errors import ExecutorUnreachable, TokenFenced
from ledger.recovery.reconcile import Recovery


def test_the_call_is_refused_when_it_comes_at_last(ledger: Ledger, executor: FakeExecutor) -> None:
    ledger.plan("T", job="a")
    ledger.submit("a", executor.name, "token-a")

    assert [it.word for it in Recovery(ledger, [executor]).plan().verdicts] == ["abandoned"]
    Recovery(ledger, [executor]).apply()

    assert ledger.job("a").outcome == "abandoned"
    with pytest.raises(TokenFenced):
        executor.call("T", {}, "token-a")


def test_one_that_arrives_after_the_look_is_found(
    ledger: Ledger, executor: FakeExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.plan("T", job="a")
    ledger.submit("a", executor.name, "token-a")
    fence: Callable[[str], object] = executor.fence

    def call_first(token: str) -> object:
        executor.call("T", {}, token)
        return fence(token)

    monkeypatch.setattr(executor, "fence", call_first)
    Recovery(ledger, [executor]).apply()

    assert ledger.job("a").outcome == "succeeded"


def test_a_look_alone_fences_nothing(ledger: Ledger, executor: FakeExecutor) -> None:
    ledger.plan("T", job="a")
    ledger.submit("a", executor.name, "token-a")

    Recovery(ledger, [executor]).plan()

    assert executor.call("T", {}, "token-a")


def test_an_executor_that_is_away_loses_contact_and_no_job(ledger: Ledger, executor: FakeExecutor) -> None:
    for job in ("a", "b"):
        ledger.plan("T", job=job)
        ledger.submit(job, executor.name, f"token-{job}")
    ledger.accept("b", executor.call("T", {}, "token-b"))
    executor.kill()

    Recovery(ledger, [executor]).apply()
    assert [ledger.job(job).flags for job in ("a", "b")] == [["contact_lost"], ["contact_lost"]]
    assert not Recovery(ledger, [executor]).plan().work

    executor.start()
    Recovery(ledger, [executor]).apply()
    assert [ledger.job(job).outcome for job in ("a", "b")] == ["abandoned", "succeeded"]


def test_where_it_cannot_be_kept_from_arriving_nothing_is_written(
    ledger: Ledger, executor: FakeExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.plan("T", job="a")
    ledger.submit("a", executor.name, "token-a")

    def refuse(token: str) -> None:
        raise ExecutorUnreachable("It knows no fences.", executor=executor.name)

    monkeypatch.setattr(executor, "fence", refuse)
    done = Recovery(ledger, [executor]).apply()

    assert (list(done.errors), done.written, done.work) == (["a"], 0, True)
    assert ledger.job("a").phase == "submitted"
