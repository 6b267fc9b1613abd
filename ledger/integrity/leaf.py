"""The canonical form of a stored row: the bytes that a leaf hashes, and that an export carries as `stored`.

For whoever writes this in another language, the bytes are, one after the other and without padding:

    MAGIC                      the 19 ASCII bytes `jobledger event v1` and a newline
    position                   8 bytes, the place in the ledger, from 1
    recorded_at                8 bytes, whole microseconds since 2000-01-01T00:00:00Z, which is how PostgreSQL keeps it
    version                    8 bytes, the place in the stream, from 1
    length of stream, stream   4 bytes, then so many bytes of UTF-8: `job:<id>` or `owner:<name>`
    length of topic, topic     4 bytes, then so many bytes of UTF-8: `job.planned.v1`
    length of state, state     4 bytes, then the stored bytes of the event exactly as they are

Numbers are signed, in two's complement, with the most significant byte first. The leaf hash is SHA-256 over a zero
byte and these bytes (RFC 6962, section 2.1), and the leaf index is the position less one. PostgreSQL makes the same
bytes in `store/sql/select_leaves.sql`.

A position without a row, as a ledger of before could come to have, is the leaf of the empty string (`GAP`).
"""

import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ledger.errors import MalformedLeaf

MAGIC = b"jobledger event v1\n"
POSITION = slice(len(MAGIC), len(MAGIC) + 8)
SUMS_BYTES = 12
GAP = b""
PARTS = ("stream, version or topic", "recorded_at", "state")
_FIXED = struct.Struct(f">{len(MAGIC)}sqqqi")
_LENGTH = struct.Struct(">i")
_STREAM_AT = _FIXED.size
_SUMS = struct.Struct(">III")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


class StoredRow(NamedTuple):
    """A row of the events table; `recorded_at` in microseconds since the year 2000."""

    position: int
    recorded_at: int
    version: int
    stream: str
    topic: str
    state: bytes

    @property
    def moment(self) -> datetime:
        """When it was recorded; for a time that no calendar has, the last or the first that one has."""
        try:
            return _EPOCH + timedelta(microseconds=self.recorded_at)
        except OverflowError:
            return _LAST if self.recorded_at > 0 else _FIRST


def microseconds(moment: datetime) -> int:
    """A moment as whole microseconds since the year 2000."""
    return (moment - _EPOCH) // _MICROSECOND


def write_leaf(row: StoredRow) -> bytes:
    """The canonical form of a row."""
    stream = row.stream.encode()
    parts = [_FIXED.pack(MAGIC, row.position, row.recorded_at, row.version, len(stream)), stream]
    for part in (row.topic.encode(), row.state):
        parts += (_LENGTH.pack(len(part)), part)
    return b"".join(parts)


def read_leaf(leaf: bytes) -> StoredRow:
    """The row of a canonical form; raises `MalformedLeaf` where it is none."""
    try:
        magic, position, recorded_at, version, stream_bytes = _FIXED.unpack_from(leaf)
        topic_at = _STREAM_AT + stream_bytes
        (topic_bytes,) = _LENGTH.unpack_from(leaf, topic_at)
        state_at = topic_at + _LENGTH.size + topic_bytes
        (state_bytes,) = _LENGTH.unpack_from(leaf, state_at)
        stream, topic = leaf[_STREAM_AT:topic_at], leaf[topic_at + _LENGTH.size : state_at]
        state = leaf[state_at + _LENGTH.size :]
        row = StoredRow(position, recorded_at, version, stream.decode(), topic.decode(), state)
    except (struct.error, UnicodeDecodeError) as error:
        raise MalformedLeaf(f"The bytes must be a stored row's, and they are not: {error}.") from None
    if magic != MAGIC or stream_bytes < 0 or topic_bytes < 0 or state_bytes != len(state):
        raise MalformedLeaf("The bytes must be those of one stored row, its parts as long as they say, and are not.")
    return row


def sum_parts(leaf: bytes) -> bytes:
    """12 bytes that tell which part of a row differs from the sealed one: CRC-32 of name and place, of time, of state.

    They prove nothing, and are zero for a position without a row. They are kept beside the leaf hashes so that a
    finding can say more than "this row differs".
    """
    if leaf == GAP:
        return bytes(SUMS_BYTES)
    fixed = _STREAM_AT - _LENGTH.size
    named = _STREAM_AT + int.from_bytes(leaf[fixed:_STREAM_AT])
    named += 4 + int.from_bytes(leaf[named : named + 4])
    name = zlib.crc32(leaf[fixed:named], zlib.crc32(leaf[fixed - 8 : fixed]))
    return _SUMS.pack(name, zlib.crc32(leaf[fixed - 16 : fixed - 8]), zlib.crc32(leaf[named + 4 :]))


def differing_parts(stored: bytes, sealed: bytes) -> tuple[str, ...]:
    """Which parts of a row two sums disagree on, each by its name."""
    pairs = zip(PARTS, _SUMS.unpack(stored), _SUMS.unpack(sealed), strict=True)
    return tuple(name for name, mine, theirs in pairs if mine != theirs)
