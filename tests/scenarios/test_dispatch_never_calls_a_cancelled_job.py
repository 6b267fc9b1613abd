import pytest

from ledger.application import Ledger
from ledger.errors import CancelRequested


def _never(token: str) -> str:
    raise AssertionError(token)


def test_dispatch_never_calls_a_cancelled_job(ledger: Ledger) -> None:
    """It records that the job was cancelled instead, and so does a second one."""
    ledger.plan("Whole", job="root", children=[{"job": "part", "type": "Part"}])
    ledger.cancel("root")
    for _ in range(2):
        ledger.dispatch("part", _never, executor="agent")
        view = ledger.job("part")
        assert (view.outcome, view.token) == ("cancelled", None)
    with pytest.raises(CancelRequested):
        ledger.submit("root", "agent", "t")


def test_dispatch_puts_the_token_on_record_before_it_calls(ledger: Ledger) -> None:
    """A call that dies leaves a job that was submitted under the token that the executor was given."""
    ledger.plan("Part", job="part")
    seen: list[str] = []

    def die(token: str) -> str:
        seen.extend((token, ledger.job("part").token or "", ledger.job("part").phase))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        ledger.dispatch("part", die, executor="agent")
    assert seen == [seen[0], seen[0], "submitted"]
    assert ledger.job("part").external_id is None


def test_dispatch_binds_what_the_executor_named(ledger: Ledger) -> None:
    """One id from the caller serves for the whole dispatch."""
    ledger.plan("Part", job="part")
    ledger.dispatch("part", lambda _: "x-1", executor="agent", id="one-id", actor="ann")
    view = ledger.job("part")
    assert (view.phase, view.executor, view.external_id) == ("queued", "agent", "x-1")
