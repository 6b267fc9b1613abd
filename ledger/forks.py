"""What a process must not share with the one that it was forked from: its connections, its locks, what it remembers.

A child begins without any of it. What it inherited it abandons and never lets go: whatever took those objects apart
would say goodbye to the database in the name of the parent, or wait for a lock that a thread of the parent holds.
"""

import os
from typing import Any, Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What begins anew in a child."""

    def begin_anew(self) -> None:
        """Forget what was the parent's, in the child, where no other thread is; it asks and says nothing."""


_ALIVE: WeakSet[Forked] = WeakSet()
_ABANDONED: list[Any] = []


def register(thing: Forked) -> None:
    """Let it begin anew in every child of this process, in whatever order."""
    _ALIVE.add(thing)


def abandon(*things: Any) -> None:
    """Never let go of what the parent still uses."""
    _ABANDONED.extend(things)


def _begin_anew() -> None:
    for thing in [*_ALIVE]:
        thing.begin_anew()


os.register_at_fork(after_in_child=_begin_anew)
