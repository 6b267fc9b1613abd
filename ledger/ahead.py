"""Makes the next of several things while the last is worked on: in a thread, or in a process of its own."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context, parent_process
from queue import Empty, Queue
from typing import Any, NoReturn, TypeVar

from ledger import garbage

ITEMS_AHEAD = 2
NICE = 19  # the most, since it makes ahead
WAIT_SECONDS_MAX = 0.2  # for what should have been made by now; then it is made here
ITEMS_HERE = 2  # so few that no process is started for them

T = TypeVar("T")
R = TypeVar("R")
Making = Callable[[], tuple[T, R]]


def ahead(make: Callable[[T], R], items: Iterable[T], pool: Executor | None = None) -> Iterator[tuple[T, R]]:
    """Each item with what is made of it, in order; the next two are made while one is worked on.

    A thread takes the items as they come. The pool makes things of them once it has started, while it keeps up, and
    until it breaks; all else is made here. What `make` or `items` raises comes out in its place. The thread ends with
    the items; where the caller stops before, it ends with the next one, or with the process.
    """
    begun: Queue[Making[T, R] | None] = Queue(ITEMS_AHEAD)
    stopped = threading.Event()

    def begin() -> None:
        last: Making[T, R] | None = None
        try:
            for making in _begin(make, items, pool):
                begun.put(making)
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            last = partial(_raise, error)
        begun.put(last)

    threading.Thread(target=begin, name="jobledger-ahead", daemon=True).start()
    try:
        while making := begun.get():
            yield making()
    finally:
        stopped.set()
        with suppress(Empty):
            begun.get_nowait()  # so that it can put what it has, and see


def _begin(make: Callable[[T], R], items: Iterable[T], pool: Executor | None) -> Iterator[Making[T, R]]:
    asked: deque[Future[Any]] = deque(maxlen=ITEMS_AHEAD + 1)  # of the pool; it keeps up while the first is answered
    for number, item in enumerate(items):
        if number == ITEMS_HERE and pool is not None:
            _submit(pool, int, asked)
        made = _submit(pool, partial(make, item), asked) if pool is not None and asked and asked[0].done() else None
        yield partial(_finish, make, item, made) if made else partial(_pair, item, make(item))


def _submit(pool: Executor, make: Callable[[], R], asked: deque[Future[Any]]) -> Future[R] | None:
    try:
        made = pool.submit(make)
    except (BrokenExecutor, OSError):
        return None
    asked.append(made)
    return made


def _finish(make: Callable[[T], R], item: T, made: Future[R]) -> tuple[T, R]:
    try:
        return item, made.result(WAIT_SECONDS_MAX)
    except (BrokenExecutor, TimeoutError):
        return item, make(item)


def _pair(item: T, made: R) -> tuple[T, R]:
    return item, made


def _raise(error: BaseException) -> NoReturn:
    raise error


def process() -> ProcessPoolExecutor:
    """A process that makes things, since the threads of this one share a core; it ends with this one, in any case.

    It is started by the first thing that it is to make, and imports the main module, as `multiprocessing` does.
    """
    return ProcessPoolExecutor(1, get_context("spawn"), _attend)


def _attend() -> None:
    """Leave interruptions to the parent, and the processor to others; do not outlive the parent."""
    parent = parent_process()
    assert parent is not None  # noqa: S101 - this runs in a child

    def outlive() -> None:
        parent.join()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    garbage.rest()
    threading.Thread(target=outlive, daemon=True).start()
