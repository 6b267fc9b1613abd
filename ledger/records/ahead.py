"""Takes items in a thread before somebody wants them, since whoever makes them may be slow."""

import threading
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, Queue
from typing import Generic, TypeVar

ITEMS_AHEAD = 1  # beside the one that the thread has in hand, and the one that was looked at

T = TypeVar("T")


class Ahead(Generic[T]):
    """The items of an iterable in order, up to three of them taken before they are asked for.

    The thread ends with the items; once this is closed it ends with the next one, or with the process.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._taken: Queue[T | _End] = Queue(ITEMS_AHEAD)
        self._next: T | _End | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._take, args=(items,), name="jobledger-ahead", daemon=True).start()

    def _take(self, items: Iterable[T]) -> None:
        end = _End()
        try:
            for item in items:
                self._taken.put(item)
                if self._closed.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            end = _End(error)
        self._taken.put(end)

    def there(self) -> T | None:
        """The next item, which stays the next one; None where it has not come yet, or there is none."""
        if self._next is None:
            with suppress(Empty):
                self._next = self._taken.get_nowait()
        return None if isinstance(self._next, _End) else self._next

    def take(self) -> T | None:
        """The next item, once it has come; None after the last. Raises in its place what the iterable raised."""
        if self._next is None:
            self._next = self._taken.get()
        if isinstance(self._next, _End):
            if self._next.error is not None:
                raise self._next.error
            return None
        item, self._next = self._next, None
        return item

    def close(self) -> None:
        """Want no more items."""
        self._closed.set()
        with suppress(Empty):
            self._taken.get_nowait()  # so that the thread can put what it has, and see


class _End:
    """Where the items end, and the error that ended them."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
