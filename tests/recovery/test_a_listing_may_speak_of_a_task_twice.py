from ledger.demo.fake.executor import FakeExecutor
from ledger.executors.protocol import TaskState


def test_a_listing_may_speak_of_a_task_twice(executor: FakeExecutor) -> None:
    """Out of order: as it is now, then as it was."""
    external_id = executor.call("T", {}, "t1", {"seconds": None, "percent": 60, "twice": True})
    told = [(task.external_id, task.state, task.percent) for task in executor.list().tasks]
    executor.release(external_id)
    ended = [(task.state, task.percent) for task in executor.list().tasks]

    assert told == [(external_id, TaskState.RUNNING, 60), (external_id, TaskState.RUNNING, 30)]
    assert ended == [(TaskState.SUCCEEDED, 100), (TaskState.RUNNING, 50)]
