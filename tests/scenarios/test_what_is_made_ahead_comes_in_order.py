import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from ledger.ahead import ITEMS_HERE, ahead


def _reciprocal(number: int) -> float:
    return 1 / number


def _count(numbers: range, error: Exception) -> Iterator[int]:
    yield from numbers
    raise error


def _take(numbers: range, ending: Exception, pool: Executor | None) -> tuple[list[int], Exception | None]:
    taken = []
    try:
        for number, made in ahead(_reciprocal, _count(numbers, ending), pool):
            assert made == _reciprocal(number)
            taken.append(number)
    except (OSError, ZeroDivisionError) as error:
        return taken, error
    return taken, None


@pytest.fixture(params=["no pool", "a pool"])
def pool(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    with ThreadPoolExecutor(1) as threads:
        yield threads if request.param == "a pool" else None


@pytest.mark.parametrize("count", [0, 1, ITEMS_HERE, 30])
def test_an_error_of_the_source_comes_after_what_came_before_it(count: int, pool: Executor | None) -> None:
    ending = OSError("unreadable")

    assert _take(range(1, count + 1), ending, pool) == ([*range(1, count + 1)], ending)


@pytest.mark.parametrize("place", [0, 2, 20])
def test_an_error_in_the_making_comes_in_its_place(place: int, pool: Executor | None) -> None:
    taken, raised = _take(range(-place, 40), OSError("unreadable"), pool)

    assert taken == [*range(-place, 0)]
    assert isinstance(raised, ZeroDivisionError)


def test_what_has_come_is_not_kept_waiting_for_what_has_not(pool: Executor | None) -> None:
    """A slow producer's page is recorded when it is there."""
    taken = threading.Semaphore(0)

    def produce() -> Iterator[int]:
        for number in range(1, 20):
            yield number
            assert taken.acquire(timeout=30), "the item must be handed on before the next one comes"

    for _ in ahead(_reciprocal, produce(), pool):
        taken.release()
