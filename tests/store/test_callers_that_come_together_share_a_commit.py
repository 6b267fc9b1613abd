"""The committer by itself: who leads, who waits, who is answered, and what an interruption does."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from ledger.appending.committer import Committer, _Request
from ledger.errors import DiskFull, OutcomeUnknown, Unavailable

CALLERS = 10


class Held:
    """A commit that lasts until it is let go, and notes its groups; `fate` decides what it does then."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.fate: Callable[[Sequence[int]], None] = lambda _: None

    def __call__(self, work: Sequence[int]) -> list[str]:
        self.groups.append(list(work))
        self.begun.release()
        assert self.go.acquire(timeout=30)
        self.fate(work)
        return [f"answer {piece}" for piece in work]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def committer(held: Held) -> Committer[int, str]:
    return Committer(held)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CALLERS + 2) as pool:
        yield pool


def _queue(committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held) -> list["Future[list[str]]"]:
    """One caller that commits, and others that wait in the order of their numbers."""
    calls = [pool.submit(committer.submit, [0])]
    assert held.begun.acquire(timeout=30)
    for n in range(1, CALLERS + 1):
        calls.append(pool.submit(committer.submit, [n]))
        while len(committer._waiting) < n:
            pass
    return calls


def test_a_lone_caller_commits_in_its_own_thread() -> None:
    threads: list[int] = []

    def commit(work: Sequence[int]) -> list[str]:
        threads.append(threading.get_ident())
        return [str(piece) for piece in work]

    assert Committer(commit).submit([1, 2]) == ["1", "2"]
    assert threads == [threading.get_ident()]


def test_those_who_come_meanwhile_are_the_next_group(
    committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held
) -> None:
    calls = _queue(committer, pool, held)
    held.go.release(2)

    assert [call.result(timeout=30) for call in calls] == [[f"answer {n}"] for n in range(CALLERS + 1)]
    assert held.groups == [[0], list(range(1, CALLERS + 1))]


def test_what_fails_a_group_fails_no_other(
    committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held
) -> None:
    def fail_the_second(work: Sequence[int]) -> None:
        if 0 not in work:
            raise DiskFull("The disk is full.")

    held.fate = fail_the_second
    calls = _queue(committer, pool, held)
    held.go.release(3)

    assert calls[0].result(timeout=30) == ["answer 0"]
    assert {type(call.exception(timeout=30)) for call in calls[1:]} == {DiskFull}
    held.fate = lambda _: None
    assert committer.submit([99]) == ["answer 99"]


def test_a_leader_that_is_interrupted_leaves_nobody_without_an_answer(
    committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held
) -> None:
    def interrupt(work: Sequence[int]) -> None:
        if 1 in work:
            raise KeyboardInterrupt

    held.fate = interrupt
    calls = _queue(committer, pool, held)
    held.go.release(3)

    assert calls[0].result(timeout=30) == ["answer 0"]
    assert isinstance(calls[1].exception(timeout=30), KeyboardInterrupt)
    assert {type(call.exception(timeout=30)) for call in calls[2:]} == {OutcomeUnknown}
    assert committer.submit([99]) == ["answer 99"]


def test_one_who_is_interrupted_while_waiting_holds_nobody_up(
    committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held
) -> None:
    """A signal takes the main thread out of the queue; those behind it are answered all the same."""
    first = pool.submit(committer.submit, [0])
    assert held.begun.acquire(timeout=30)

    def interrupt_and_go_on() -> list[str]:
        while not committer._waiting:
            pass
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        while committer._waiting:
            pass
        held.go.release(2)
        return committer.submit([2])

    last = pool.submit(interrupt_and_go_on)
    with pytest.raises(KeyboardInterrupt):
        committer.submit([1])

    assert [first.result(timeout=30), last.result(timeout=30)] == [["answer 0"], ["answer 2"]]
    assert held.groups == [[0], [2]]


def test_one_who_is_interrupted_while_its_group_commits_keeps_no_answer_from_the_others(
    committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held
) -> None:
    """Those who are answered wake one another, and a signal takes the main thread out of their midst."""
    first = pool.submit(committer.submit, [0])
    assert held.begun.acquire(timeout=30)
    before = pool.submit(committer.submit, [1])
    while not committer._waiting:
        pass

    def follow_and_interrupt() -> list[str]:
        while len(committer._waiting) < 2:
            pass
        behind = pool.submit(committer.submit, [3])
        while len(committer._waiting) < 3:
            pass
        held.go.release()
        assert held.begun.acquire(timeout=30)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        assert gone.wait(timeout=30)
        held.go.release()
        return behind.result(timeout=30)

    gone = threading.Event()
    last = pool.submit(follow_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        committer.submit([2])
    gone.set()

    assert [call.result(timeout=30) for call in (first, before, last)] == [["answer 0"], ["answer 1"], ["answer 3"]]
    held.go.release()
    assert committer.submit([4]) == ["answer 4"]
    assert held.groups == [[0], [1, 2, 3], [4]]


def test_a_leader_waits_until_all_of_the_last_group_are_awake(
    committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are about to come again, and so the next group is a large one."""
    awake = threading.Event()
    wake_next = _Request.wake_next

    def wake_late(request: _Request[int, str]) -> None:
        assert request.work != [CALLERS] or awake.wait(timeout=30)
        wake_next(request)

    monkeypatch.setattr("ledger.appending.committer.GATHER_SECONDS_MAX", 30)
    monkeypatch.setattr(_Request, "wake_next", wake_late)
    calls = _queue(committer, pool, held)
    held.go.release()
    calls[0].result(timeout=30)
    assert held.begun.acquire(timeout=30)
    again = [pool.submit(committer.submit, [100])]
    while not committer._waiting:
        pass
    held.go.release()
    while len(held.groups) < 3 and committer._leader is not committer._waiting[0]:
        pass
    again.append(pool.submit(committer.submit, [101]))
    while len(held.groups) < 3 and len(committer._waiting) < 2:
        pass
    awake.set()
    held.go.release()

    assert [call.result(timeout=30) for call in again] == [["answer 100"], ["answer 101"]]
    assert held.groups == [[0], [*range(1, CALLERS + 1)], [100, 101]]


def test_a_full_queue_lets_callers_wait_before_it(pool: ThreadPoolExecutor, held: Held) -> None:
    committer = Committer(held, waiting_max=2)
    calls = [pool.submit(committer.submit, [n]) for n in range(CALLERS)]
    assert held.begun.acquire(timeout=30)
    held.go.release(CALLERS)

    assert [call.result(timeout=30) for call in calls] == [[f"answer {n}"] for n in range(CALLERS)]
    assert max(map(len, held.groups)) <= 2


def test_closing_answers_everybody_and_takes_no_more(
    committer: Committer[int, str], pool: ThreadPoolExecutor, held: Held
) -> None:
    calls = _queue(committer, pool, held)
    closing = pool.submit(committer.close)
    while not committer._closed:
        pass
    with pytest.raises(Unavailable, match="closed"):
        committer.submit([99])
    assert not closing.done()
    held.go.release(2)

    closing.result(timeout=30)
    assert [call.result(timeout=30) for call in calls] == [[f"answer {n}"] for n in range(CALLERS + 1)]


def test_closing_holds_nobody_before_a_full_queue(pool: ThreadPoolExecutor, held: Held) -> None:
    committer = Committer(held, waiting_max=2)
    calls = [pool.submit(committer.submit, [n]) for n in range(CALLERS)]
    while committer._outside < CALLERS - 3:  # one leads, and two wait
        pass
    closing = pool.submit(committer.close)
    held.go.release(CALLERS)
    closing.result(timeout=30)

    errors = [call.exception(timeout=30) for call in calls]
    assert {type(error) for error in errors} == {type(None), Unavailable}
    assert sum(error is None for error in errors) == sum(map(len, held.groups))
