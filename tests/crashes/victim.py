"""An engine that kills itself, as `kill -9` does, at a boundary: a process of its own for one of its lives."""

import sys
from pathlib import Path

from tests.crashes.boundaries import Boundaries
from tests.crashes.stage import Watched, live


def main() -> None:
    """Live as the words of the command say."""
    conninfo, kind, parts, run, seed, books, at, first = sys.argv[1:]
    with Boundaries(int(at), inside=True, real=True):
        live(conninfo, kind, int(parts), run, seed, executor=Watched(Path(books)), first=first == "1")


if __name__ == "__main__":
    main()
