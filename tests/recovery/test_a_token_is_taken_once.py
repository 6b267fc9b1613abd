from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.demo.fake.executor import FakeExecutor
from tests.recovery.facts import told


def test_a_token_is_taken_once(executor: FakeExecutor, truth: Path) -> None:
    """The same id again, while it runs, when it has ended, when it is forgotten, and after a restart."""
    script = {"seconds": None, "forget_after": 0}
    first = executor.call("T", {}, "t1", script)
    ids = {executor.call("T", {}, "t1", script)}
    executor.release(first)
    ids.add(executor.call("T", {}, "t1", script))
    executor.kill()
    executor.start()
    ids.add(executor.call("T", {}, "t1", script))

    assert ids == {first}
    assert told(truth) == [("accepted", "t1"), ("started", "t1"), ("succeeded", "t1"), ("forgotten", "t1")]


def test_callers_at_once_under_one_token_get_one_task(executor: FakeExecutor, truth: Path) -> None:
    others = [FakeExecutor(truth) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda other: other.call("T", {}, "t1"), others))
    for other in others:
        other.hang_up()

    assert len(set(ids)) == 1
    assert [what for what, _ in told(truth)].count("accepted") == 1


def test_a_task_without_a_token_is_another_each_time(executor: FakeExecutor) -> None:
    assert executor.call("T", {}, None) != executor.call("T", {}, None)
