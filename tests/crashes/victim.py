"""Engines that kill themselves, as `kill -9` does, at a boundary: a process of its own for one life of each."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.service.assembly import assemble
from tests.crashes.boundaries import Boundaries
from tests.crashes.stage import Play, Watched, live


def main() -> None:
    """Live as the word of the command says, each engine in a thread of its own."""
    said = json.loads(sys.argv[1])
    plays = [Play(**play) for play in said["plays"]]
    books = Path(said["books"])
    with (
        Boundaries(said["at"], inside=True, real=True),
        assemble(said["conninfo"]) as ledger,
        ThreadPoolExecutor(len(plays)) as pool,
    ):
        lives = [pool.submit(live, ledger, play, Watched(books), first=said["first"]) for play in plays]
        for each in lives:
            each.result()


if __name__ == "__main__":
    main()
