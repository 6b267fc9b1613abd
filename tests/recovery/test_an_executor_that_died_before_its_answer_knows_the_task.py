from pathlib import Path

import pytest

from ledger.demo.fake.executor import FakeExecutor
from ledger.errors import ExecutorUnreachable
from ledger.executors.protocol import TaskState
from tests.recovery.facts import told


def test_an_executor_that_died_before_its_answer_knows_the_task(executor: FakeExecutor, truth: Path) -> None:
    """It had taken the call; after its restart the task begins, and a call under its token is answered."""
    with pytest.raises(ExecutorUnreachable):
        executor.call("T", {}, "t1", {"seconds": None, "dies": "before_answer"})
    assert not executor.running
    for verb in (executor.list, lambda: executor.ask(None, "t1"), lambda: executor.cancel("?")):
        with pytest.raises(ExecutorUnreachable):
            verb()
    assert told(truth) == [("accepted", "t1")]

    executor.start()

    task = executor.ask(None, "t1")
    assert task is not None
    assert task.state is TaskState.RUNNING
    assert executor.call("T", {}, "t1", {"dies": "before_answer"}) == task.external_id
    assert told(truth) == [("accepted", "t1"), ("started", "t1")]
