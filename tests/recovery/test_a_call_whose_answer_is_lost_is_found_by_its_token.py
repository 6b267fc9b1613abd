from pathlib import Path

import pytest

from ledger.demo.fake.executor import FakeExecutor
from ledger.errors import ExecutorUnreachable
from ledger.executors.protocol import TaskState
from tests.recovery.facts import told


def test_a_call_whose_answer_is_lost_is_found_by_its_token(executor: FakeExecutor, truth: Path) -> None:
    with pytest.raises(ExecutorUnreachable):
        executor.call("T", {}, "t1", {"seconds": None, "drops": "answer"})

    task = executor.ask(None, "t1")

    assert task is not None
    assert task.state is TaskState.RUNNING
    assert executor.call("T", {}, "t1", {"drops": "answer"}) == task.external_id  # the same call again is answered
    assert told(truth) == [("accepted", "t1"), ("started", "t1")]
