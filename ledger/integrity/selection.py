"""Which events an export is of. A filter language plugs in here: all that an export needs is positions that ascend."""

from collections.abc import Iterable, Sequence

from ledger.store.seals import POSITION_MAX, Seals


def select(seals: Seals, after: int, upto: int | None, jobs: Sequence[str]) -> tuple[Iterable[int] | None, str | None]:
    """The positions of the events after one and up to another, of these jobs where some are named, and that in words.

    None stands for every event of the ledger.
    """
    last = POSITION_MAX if upto is None else upto
    words = [f"job {job}" for job in jobs]
    words += [f"after position {after}"] if after > 0 else []
    words += [f"up to position {upto}"] if upto is not None else []
    said = ", ".join(words) or None
    if not jobs:
        return (range(max(after, 0) + 1, min(last, seals.head()) + 1), said) if said else (None, None)
    found = sorted({position for job in jobs for position in seals.positions(f"job:{job}")})
    return [position for position in found if after < position <= last], said
