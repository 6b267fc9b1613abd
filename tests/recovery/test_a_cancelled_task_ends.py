from pathlib import Path

from ledger.demo.fake.executor import FakeExecutor
from ledger.executors.protocol import TaskState
from tests.recovery.facts import told


def test_a_cancelled_task_ends(executor: FakeExecutor, truth: Path) -> None:
    external_id = executor.call("T", {}, "t1", {"seconds": 3600, "result": 1})

    executor.cancel(external_id)
    executor.cancel(external_id)

    task = executor.ask(external_id, None)
    assert task is not None
    assert (task.state, task.result) == (TaskState.CANCELLED, None)
    assert told(truth) == [("accepted", "t1"), ("started", "t1"), ("cancelled", "t1")]


def test_a_task_that_has_succeeded_stays_so(executor: FakeExecutor, truth: Path) -> None:
    external_id = executor.call("T", {}, "t1")

    executor.cancel(external_id)

    assert told(truth)[-1] == ("succeeded", "t1")
