"""What is put on record where somebody has looked at a break of the ledger's promises, so that sealing goes on."""

from typing import Any

from ledger.errors import NothingBroken
from ledger.integrity.promises import Promises, accepted_breaks
from ledger.store.seals import SealTable


def acceptance(room: SealTable, position: int) -> dict[str, Any]:
    """The transition record that accepts what the row at a position breaks; raises `NothingBroken`, `Unavailable`.

    The same again for a break that was accepted, so that who repeats it hears `unchanged`.
    """
    with room.reading() as seals:
        accepted = accepted_breaks(seals)
        pages = seals.leaves(position - 1, position) if position <= seals.head() else ()
        rows = [(at, leaf) for page in pages for at, leaf in page if leaf is not None]
        breaches = Promises(seals, position - 1, accepted).check(rows)
        ledger = seals.ledger()
    if not breaches and position not in accepted:
        trouble = "breaks none" if rows else "has no event"
        raise NothingBroken(
            f"What breaks a promise may be accepted, and position {position:,} {trouble}.", position=position
        )
    promise = breaches[0].promise if breaches else accepted[position][-1]
    return {"event": "break_accepted", "ledger": ledger, "break_at": position, "promise": str(promise)}
