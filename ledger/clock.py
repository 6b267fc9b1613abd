"""The only source of "now", and of names that contain it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)


def now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A fresh UUID, version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then chance."""
    chance = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | chance
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def monotonic() -> float:
    """Seconds that only grow, for time-outs."""
    return time.monotonic()


@contextmanager
def until(deadline: float | None) -> Iterator[None]:
    """Let no answer of a database be waited for beyond a monotonic time, in what is called here; None changes nothing.

    Of two such bounds, one inside the other, the earlier counts.
    """
    outer = _DEADLINE.get()
    bounds = [bound for bound in (outer, deadline) if bound is not None]
    token = _DEADLINE.set(min(bounds, default=None))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def seconds_left(most: float) -> float:
    """How long may still be waited under the bound that is set, 0 at least and `most` at most."""
    deadline = _DEADLINE.get()
    return most if deadline is None else min(most, max(deadline - monotonic(), 0.0))
