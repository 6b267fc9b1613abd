"""Makes the next of several things while the last is worked on: in a thread, or in a process of its own."""

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context, parent_process
from queue import Empty, Queue
from typing import NoReturn, TypeVar

ITEMS_AHEAD = 2
OBJECTS_MAX = 100_000  # that may be made before cyclic garbage is searched for
NICE = 19  # the most; it makes ahead, and is seldom waited for
ITEMS_HERE = 4  # so few that no process is started for them

T = TypeVar("T")
R = TypeVar("R")
Making = Callable[[], tuple[T, R]]


def ahead(make: Callable[[T], R], items: Iterable[T], pool: Executor | None = None) -> Iterator[tuple[T, R]]:
    """Each item with what is made of it, in order; the next two are made while one is worked on.

    A thread takes the items as they come. The pool makes things of them once it has started and until it breaks, the
    thread before that. What `make` or `items` raises comes out in its place. The thread ends with the items; where the
    caller stops before, it ends with the next one, or with the process.
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
    started: Future[int] | None = None
    for number, item in enumerate(items):
        if number == ITEMS_HERE and pool is not None:
            started = _submit(pool, int)
        made = _submit(pool, partial(make, item)) if pool is not None and started and started.done() else None
        yield partial(_finish, make, item, made) if made else partial(_pair, item, make(item))


def _submit(pool: Executor, make: Callable[[], R]) -> Future[R] | None:
    try:
        return pool.submit(make)
    except (BrokenExecutor, OSError):
        return None


def _finish(make: Callable[[T], R], item: T, made: Future[R]) -> tuple[T, R]:
    try:
        return item, made.result()
    except BrokenExecutor:
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
    gc.set_threshold(OBJECTS_MAX, *gc.get_threshold()[1:])  # what it makes has no cycles
    threading.Thread(target=outlive, daemon=True).start()
