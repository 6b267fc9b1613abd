from pathlib import Path

import pytest

from ledger.demo.fake.executor import FakeExecutor
from ledger.errors import MalformedRecord
from ledger.executors.protocol import Executor, Task, TaskState
from tests.recovery.facts import told


def test_a_call_is_answered_with_the_id_of_its_task(executor: FakeExecutor, truth: Path) -> None:
    """By the answer, what was said of the task is in the journal."""
    made = [{"type": "snapshot", "id": "s1"}]
    external_id = executor.call("Snapshot", {"of": "d1"}, "t1", {"result": {"size": 3}, "products": made})

    assert told(truth) == [("accepted", "t1"), ("started", "t1"), ("succeeded", "t1")]
    task = executor.ask(external_id, None)
    assert task is not None
    assert (task.external_id, task.token, task.state) == (external_id, "t1", TaskState.SUCCEEDED)
    assert (task.result, task.products[0].id, task.percent) == ({"size": 3}, "s1", 100)


def test_a_listing_has_every_task_in_the_order_of_the_calls(executor: FakeExecutor) -> None:
    waits = executor.call("T", {}, "t1", {"seconds": None, "percent": 40})
    fails = executor.call("T", {}, None, {"ends": "failed", "error": "the disk is full"})

    adapter: Executor = executor
    listing = adapter.list()

    assert (listing.executor, listing.complete, listing.tokens, listing.reachable) == ("fake", True, True, True)
    assert listing.tasks == (
        Task(executor="fake", external_id=waits, token="t1", state=TaskState.RUNNING, percent=40),
        Task.model_validate({"executor": "fake", "external_id": fails, "state": "failed", "error": "the disk is full"}),
    )


def test_a_task_that_waits_ends_when_it_is_released(executor: FakeExecutor, truth: Path) -> None:
    external_id = executor.call("T", {}, "t1", {"seconds": None, "ends": "failed"})

    assert [executor.release(external_id), executor.release(external_id), executor.release("?")] == [True, False, False]
    assert told(truth)[-1] == ("failed", "t1")


def test_a_script_that_none_knows_is_refused(executor: FakeExecutor, truth: Path) -> None:
    """A slip in a script must not make a test pass."""
    for script in ({"second": 1}, {"ends": "exploded"}, {"seconds": -1}, {"dies": "later"}):
        with pytest.raises(MalformedRecord):
            executor.call("T", {}, "t1", script)

    assert told(truth) == []


def test_what_is_unknown_is_nothing(executor: FakeExecutor) -> None:
    executor.cancel("?")

    assert executor.ask("?", "?") is None
    assert executor.ask(None, None) is None
