import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from ledger.records.ahead import ITEMS_AHEAD, Ahead
from ledger.service.embedded.lock import until


def _count(numbers: range, error: Exception) -> Iterator[int]:
    yield from numbers
    raise error


@pytest.mark.parametrize("count", [0, 1, ITEMS_AHEAD, 30])
@pytest.mark.parametrize("looks", [False, True])
def test_an_error_of_the_source_comes_after_what_came_before_it(count: int, looks: bool) -> None:
    """Again and again, and never to somebody who only looks whether there is more."""
    with closing(Ahead(_count(range(1, count + 1), OSError("unreadable")))) as taken:
        for number in range(1, count + 1):
            assert not looks or until(lambda: taken.there() is not None, 30)
            assert not looks or taken.there() == number
            assert taken.take() == number
        for _ in range(2):
            with pytest.raises(OSError, match="unreadable"):
                taken.take()
            assert taken.there() is None


def test_after_the_last_there_is_none() -> None:
    with closing(Ahead(range(1, 2))) as taken:
        assert [taken.take() for _ in range(3)] == [1, None, None]
        assert taken.there() is None


def test_what_has_come_is_not_kept_waiting_for_what_has_not() -> None:
    handed_on = threading.Semaphore(0)

    def produce() -> Iterator[int]:
        for number in range(1, 20):
            yield number
            assert handed_on.acquire(timeout=30), "the item must be handed on before the next one comes"

    with closing(Ahead(produce())) as taken:
        while taken.take() is not None:
            assert taken.there() is None
            handed_on.release()


def test_the_thread_ends_once_nobody_wants_more() -> None:
    left = threading.Event()

    def produce() -> Iterator[int]:
        try:
            yield from range(1, 1_000)
        finally:
            left.set()

    with closing(Ahead(produce())) as taken:
        assert taken.take() == 1
    assert left.wait(30)
