import itertools
import os
from collections import Counter
from pathlib import Path

from ledger.demo.fake.executor import FakeExecutor
from ledger.demo.fake.journal import read_journal
from ledger.executors.protocol import TaskState
from tests.recovery.facts import told, until


def test_the_journal_tells_all_that_ran_across_kills(executor: FakeExecutor, truth: Path) -> None:
    """In order, once each; what ran when the process was killed goes on."""
    slow = executor.call("T", {"n": 1}, "slow", {"seconds": 0.2})
    waits = executor.call("T", {}, "waits", {"seconds": None})
    for n in range(3):
        executor.call("T", {}, f"quick{n}")
        executor.kill()
        assert not executor.running
        executor.start()
    until(lambda: (task := executor.ask(slow, None)) is not None and task.state is TaskState.SUCCEEDED)
    executor.release(waits)

    facts = read_journal(truth)
    accepted = [fact["token"] for fact in facts if fact["what"] == "accepted"]
    assert accepted == ["slow", "waits", "quick0", "quick1", "quick2"]
    assert set(Counter(told(truth)).values()) == {1}
    assert {fact["what"] for fact in facts} == {"accepted", "started", "succeeded"}
    assert len(facts) == 3 * 5
    times = [fact["at"] for fact in facts if fact["what"] != "succeeded"]
    assert times == sorted(times)


def test_ends_are_told_in_the_order_in_which_they_came(executor: FakeExecutor, truth: Path) -> None:
    """Whoever looks late finds them so."""
    later = executor.call("T", {}, "later", {"seconds": 0.5})
    executor.call("T", {}, "sooner", {"seconds": 0.0})
    until(lambda: (task := executor.ask(later, None)) is not None and task.state is TaskState.SUCCEEDED)

    facts = read_journal(truth)
    assert told(truth)[-2:] == [("succeeded", "sooner"), ("succeeded", "later")]
    assert all(a["at"] <= b["at"] for a, b in itertools.pairwise(facts))


def test_a_line_cut_short_had_not_happened(executor: FakeExecutor, truth: Path) -> None:
    """A kill in the middle of a write: the fact was told to nobody, and the next one stands on a line of its own."""
    executor.call("T", {}, "t1")
    executor.kill()
    whole = told(truth)
    path = truth / "journal.jsonl"
    os.truncate(path, path.stat().st_size - 3)
    assert told(truth) == whole[:-1]

    executor.start()

    assert told(truth) == whole


def test_stopping_writes_what_had_ended(executor: FakeExecutor, truth: Path) -> None:
    executor.call("T", {}, "t1", {"seconds": 0})
    executor.stop()
    executor.stop()

    assert told(truth)[-1] == ("succeeded", "t1")
