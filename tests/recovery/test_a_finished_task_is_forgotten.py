from pathlib import Path

from ledger.demo.fake.executor import FakeExecutor
from tests.recovery.facts import told, until


def test_a_finished_task_is_forgotten(executor: FakeExecutor, truth: Path) -> None:
    """Then a listing is no longer complete, after a restart neither."""
    kept = executor.call("T", {}, "t1")
    gone = executor.call("T", {}, "t2", {"forget_after": 0.05})
    before = executor.list()
    until(lambda: executor.ask(gone, "t2") is None)

    assert ({task.external_id for task in before.tasks}, before.complete) in (({kept, gone}, True), ({kept}, False))
    for _ in range(2):
        listing = executor.list()
        assert [task.external_id for task in listing.tasks] == [kept]
        assert not listing.complete
        assert executor.ask(gone, None) is None
        executor.kill()
        executor.start()
    assert told(truth)[3:] == [("accepted", "t2"), ("started", "t2"), ("succeeded", "t2"), ("forgotten", "t2")]


def test_a_task_that_runs_is_not_forgotten(executor: FakeExecutor) -> None:
    external_id = executor.call("T", {}, "t1", {"seconds": None, "forget_after": 0})

    assert executor.ask(external_id, None) is not None
    assert executor.list().complete
