"""How long a connection that is being made is waited for: where nothing is heard, until there is something better."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

UNANSWERED_SECONDS = 0.5  # without a sign, however long all of it takes

_BETTER: ContextVar[Callable[[], bool] | None] = ContextVar("better", default=None)


@contextmanager
def unless(better: Callable[[], bool]) -> Iterator[None]:
    """Ask this, ten times a second, while a connection that is made in here is not answered; raises `TimeoutError`."""
    token = _BETTER.set(better)
    try:
        yield
    finally:
        _BETTER.reset(token)


def heed(seconds: float) -> None:
    """Raise `TimeoutError` where there was no sign for so long, and there is something better.

    That is no error of psycopg's, for which it would try another host.
    """
    better = _BETTER.get()
    if better is not None and seconds >= UNANSWERED_SECONDS and better():
        raise TimeoutError("there is something better than to wait for this connection")
