"""Makes the next of several things while the last is worked on."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from queue import Empty, Queue
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items in order, each made in a thread of its own while the one before it is worked on.

    What making one raises comes out in its place. The thread ends with the items; where the caller stops before, it
    ends with the next one, or with the process.
    """
    made: Queue[T | BaseException | None] = Queue(maxsize=1)
    stopped = threading.Event()

    def make() -> None:
        last: BaseException | None = None
        try:
            for item in items:
                made.put(item)
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            last = error
        made.put(last)

    threading.Thread(target=make, name="jobledger-ahead", daemon=True).start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        with suppress(Empty):
            made.get_nowait()  # so that it can put what it has, and see
