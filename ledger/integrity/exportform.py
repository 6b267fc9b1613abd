"""An export: events as records, each with the row that it was, and the proof that they are what was signed.

JSON Lines, in UTF-8. The first line, the header:

    {"export":"header","format":"jobledger-export/1","ledger":UUID,"origin":…,"checkpoint":NOTE or null,
     "keys":[{"key":VERIFIER KEY,"rotation":NOTE or null},…],"selection":WORDS or null}

then a line an event, in the order of the ledger: its transition record, and beside it

    "position":…,"recorded_at":…,"stored":BASE64

where `stored` is the canonical form of the row (`leaf`), from which the record and the leaf hash follow. A plan that is
selected brings the plans of the children made with it. A row that is no event has a line without a record instead:

    {"export":"damaged","stream":…,"version":…,"topic":…,"why":…,"position":…,"recorded_at":…,"stored":BASE64}

Then the positions that have no row, if any, each a leaf of the empty string; then the cover (`proofs`) of the leaves
that the checkpoint is over, 512 hashes a line, which is empty where all are there, and last the trailer:

    {"export":"gap","first":…,"last":…}
    {"export":"proof","hashes":[BASE64,…]}
    {"export":"trailer","count":…,"first":…,"last":…,"head":{"position":…,"size":…,"root":BASE64},"unsealed":…}

No line but a record has a key `event`. `unsealed` counts the records at the end that come after the checkpoint, for
which nothing is proved.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ledger.domain.events import Event, RecordedEvent
from ledger.domain.values import print_time
from ledger.errors import IntegrityFailure, SchemaTooNew
from ledger.integrity.leaf import StoredRow
from ledger.integrity.note import encode_base64
from ledger.store.mapper import Row, damaged_event, read_event

FORMAT = "jobledger-export/1"
PROOF_HASHES = 512

Transcribe = Callable[[Iterable[RecordedEvent]], Iterator[dict[str, Any]]]
"""Writes events as transition records, in their order; that of a parent also has the children planned with it."""


def beside(row: StoredRow, leaf: bytes) -> dict[str, Any]:
    """What an export adds to a record: where and when it was recorded, and the row that it was."""
    return {"position": row.position, "recorded_at": print_time(row.moment), "stored": encode_base64(leaf)}


def read_sound(row: StoredRow) -> Event:
    """The event of a row, or what stands in its place where it is none."""
    try:
        return read_event(row.stream, row.version, row.topic, row.state)
    except (IntegrityFailure, SchemaTooNew) as error:
        return damaged_event(Row(row.stream, row.version, row.topic, row.state), str(error), row.moment)
