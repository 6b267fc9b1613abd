"""Which events an export is of."""

from collections.abc import Iterable, Sequence

from ledger.asking.search import Search
from ledger.domain.values import POSITION_MAX
from ledger.store.seals import Seals


def select(
    seals: Seals, after: int, upto: int | None, jobs: Sequence[str], search: Search | None = None
) -> tuple[Iterable[int] | None, str | None]:
    """The positions of the events after one and up to another, of these jobs where some are named, and that in words.

    `search` is what must find them too. None stands for every event of the ledger.
    """
    last = POSITION_MAX if upto is None else upto
    words = [f"job {job}" for job in jobs]
    words += [str(search.filter)] if search else []
    words += [f"after position {after}"] if after > 0 else []
    words += [f"up to position {upto}"] if upto is not None else []
    words_joined = ", ".join(words) or None
    if search:
        entries = search.entries(oldest=True, after=max(after, 0), before=min(last, seals.head()) + 1)
        return (entry.position for entry in entries if not jobs or entry.entry.event.job in jobs), words_joined
    if not jobs:
        return (range(max(after, 0) + 1, min(last, seals.head()) + 1), words_joined) if words_joined else (None, None)
    positions = sorted({position for job in jobs for position in seals.positions(f"job:{job}")})
    return [position for position in positions if after < position <= last], words_joined
