"""What a ledger has that it should not have, and that is no finding any more: it was sealed so, or accepted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ledger.integrity.findings import SHOWN_MAX
from ledger.integrity.promises import AcceptedBreaks


def name_known(gaps: Sequence[int], accepted: AcceptedBreaks, aside: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each, the first of each kind."""
    spans = [*gap_spans(gaps)]
    for first, last in spans[:SHOWN_MAX]:
        yield f"{name_gap(first, last)} was sealed so: a gap that is known."
    if spans[SHOWN_MAX:]:
        yield f"{len(spans) - SHOWN_MAX:,} further gaps are known."
    for position in sorted(accepted)[:SHOWN_MAX]:
        promises = " and of ".join(dict.fromkeys(accepted[position]))
        yield f"The event at position {position:,} breaks the promise of {promises}, which was accepted."
    if len(accepted) > SHOWN_MAX:
        yield f"{len(accepted) - SHOWN_MAX:,} further breaks were accepted."
    for row in aside[:SHOWN_MAX]:
        yield f"What stood in the place of a {row['what']} was set aside: {row['why']}."


def gap_spans(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each run of positions, which ascend."""
    first = last = None
    for position in positions:
        if first is not None and last is not None and position != last + 1:
            yield first, last
            first = None
        first, last = position if first is None else first, position
    if first is not None and last is not None:
        yield first, last


def name_gap(first: int, last: int) -> str:
    """A gap in words."""
    if first == last:
        return f"No event is at position {first:,}, which"
    return f"No event is from position {first:,} to {last:,}, which"
