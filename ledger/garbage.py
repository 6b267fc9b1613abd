"""The search for cyclic garbage, which goes through all objects again and again, and when it may rest."""

import gc
import threading

OBJECTS_MAX = 100_000  # that may be made between two searches


def rest() -> None:
    """Search seldom from now on: for a process of ours, whose many objects are in no cycle."""
    often, *rarely = gc.get_threshold()
    if often:
        gc.set_threshold(max(often, OBJECTS_MAX), *rarely)


class Resting:
    """Searches seldom while anybody is inside; whoever leaves last leaves all as it was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = gc.get_threshold()
                rest()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                gc.set_threshold(*self._before)
