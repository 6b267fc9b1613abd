"""Makes the next of several things, in a thread or a process beside this one, while the last is worked on."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from typing import NoReturn, TypeVar

ITEMS_AHEAD = 2
ITEMS_HERE = 4  # for so few nobody is to wait until a process has started

T = TypeVar("T")
R = TypeVar("R")


def ahead(make: Callable[[T], R], items: Iterable[T], pool: Executor) -> Iterator[tuple[T, R]]:
    """Each item with what is made of it, in order; the pool makes the next two while one is worked on.

    What the pool cannot make, since it has not started yet or has broken, is made here. What `make` or `items` raises
    comes out in its place.
    """
    coming: deque[Callable[[], tuple[T, R]]] = deque()
    for begun in _begin(make, items, pool):
        coming.append(begun)
        if len(coming) > ITEMS_AHEAD:
            yield coming.popleft()()
    while coming:
        yield coming.popleft()()


def _begin(make: Callable[[T], R], items: Iterable[T], pool: Executor) -> Iterator[Callable[[], tuple[T, R]]]:
    started: Future[int] | None = None
    waiting = iter(items)
    number = 0
    while True:
        try:
            item = next(waiting)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's
            yield partial(_raise, error)
            return
        number += 1
        if number == ITEMS_HERE:
            started = _submit(pool, int)
        made = _submit(pool, partial(make, item)) if started and started.done() else None
        yield partial(_finish, make, item, made)


def _submit(pool: Executor, make: Callable[[], R]) -> Future[R] | None:
    try:
        return pool.submit(make)
    except (BrokenExecutor, OSError):
        return None


def _finish(make: Callable[[T], R], item: T, made: Future[R] | None) -> tuple[T, R]:
    if made is not None:
        try:
            return item, made.result()
        except BrokenExecutor:
            pass
    return item, make(item)


def _raise(error: Exception) -> NoReturn:
    raise error


def process() -> ProcessPoolExecutor:
    """A process that makes things, since the threads of this one share a core; it ends with this one, in any case.

    It is started by the first thing that it is to make, and imports the main module, as `multiprocessing` does.
    """
    return ProcessPoolExecutor(1, get_context("spawn"), _attend)


def _attend() -> None:
    """Leave interruptions to the parent, and do not outlive it."""
    parent = parent_process()
    assert parent is not None  # noqa: S101 - this runs in a child

    def outlive() -> None:
        parent.join()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=outlive, daemon=True).start()
