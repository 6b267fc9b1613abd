from pathlib import Path

import pytest

from ledger.demo.fake.executor import FakeExecutor
from ledger.errors import TokenFenced
from ledger.executors.protocol import TaskState
from tests.recovery.facts import told


def test_a_fenced_token_is_refused(executor: FakeExecutor, truth: Path) -> None:
    """A fence that came before the call is never passed, not after a restart either."""
    assert executor.fence("t1") is None
    assert executor.fence("t1") is None
    executor.kill()
    executor.start()

    with pytest.raises(TokenFenced) as refusal:
        executor.call("T", {}, "t1")

    assert (refusal.value.code, refusal.value.facts) == ("token_fenced", {"token": "t1", "executor": "fake"})
    assert told(truth) == [("fenced", "t1")]


def test_a_fence_that_comes_too_late_gives_the_task(executor: FakeExecutor) -> None:
    external_id = executor.call("T", {}, "t1", {"seconds": None})

    task = executor.fence("t1")

    assert task is not None
    assert (task.external_id, task.state) == (external_id, TaskState.RUNNING)
    with pytest.raises(TokenFenced):
        executor.call("T", {}, "t1")


def test_a_fence_gives_a_forgotten_task_too(executor: FakeExecutor) -> None:
    """Nothing would mean that the call never arrived."""
    executor.call("T", {}, "t1", {"forget_after": 0})
    assert executor.ask(None, "t1") is None

    task = executor.fence("t1")

    assert task is not None
    assert task.state is TaskState.SUCCEEDED
