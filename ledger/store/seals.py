"""The tree, its checkpoints and the public keys in the database, and the stored rows as the leaves that they are."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection, IsolationLevel

from ledger.domain.events import RecordedEvent
from ledger.domain.values import POSITION_MAX
from ledger.errors import AccessDenied
from ledger.store.bounds import bound_waits
from ledger.store.connection import Connect, in_our_words
from ledger.store.reading import check_topics
from ledger.store.replication import confirmed
from ledger.store.statements import SQL
from ledger.store.streams import read_page

PAGE_LEAVES, BLOCK_LEAVES = 8_192, 128
LACKS_PRIVILEGE = "42501"
POSITION_MIN = -POSITION_MAX  # PostgreSQL reads the literal of one below as numeric, which no index serves

Begin = Callable[[Connection[Any]], AbstractContextManager[Any]]
Leaf = tuple[int, bytes | None]
"""A position and the canonical form of the row there; None where a part of the row is missing."""


class TileRow(NamedTuple):
    """A tile as it is stored."""

    level: int
    number: int
    hashes: bytes
    sums: bytes


class CheckpointRow(NamedTuple):
    """A checkpoint as it is stored: the size in its column, the note, and when the database took it."""

    size: int
    note: str
    sealed_at: datetime


class KeyRow(NamedTuple):
    """A public key as it is stored, with the rotation that brought it, if one did."""

    verifier_key: str
    rotation: str | None


class Seals:
    """What is sealed, within one transaction."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def ledger(self) -> str:
        """The UUID of the ledger."""
        return str(self._rows("select_identity")[0]["ledger"])

    def head(self) -> int:
        """The last position that is committed, 0 where there is none."""
        return int(self._rows("select_head")[0]["head"])

    def leaves(self, after: int, upto: int) -> Iterator[list[Leaf]]:
        """The rows after a position up to another, block by block, in order, as they were committed."""
        begun = max(after, min(0, upto - 1))  # nothing but a forged row is before it
        parameters = {"after": after, "begun": begun, "upto": upto, "block": BLOCK_LEAVES}
        rows = SQL["select_leaves"]
        question = f"COPY ({rows}) TO STDOUT (FORMAT BINARY)"
        with self._connection.cursor() as cursor, cursor.copy(question, parameters) as copy:
            copy.set_types(("int8[]", "bytea[]"))
            for positions, leaves in copy.rows():
                yield [*zip(positions, leaves, strict=True)]

    def chunks(self, after: int, upto: int) -> Iterator[tuple[int, list[Leaf]]]:
        """The same in chunks of as many positions, each with the last of them: whoever reads may ask in between."""
        while after < upto:
            end = min(after + PAGE_LEAVES, upto)
            yield end, [leaf for page in self.leaves(after, end) for leaf in page]
            after = end

    def last_leaf(self, upto: int) -> bytes | None:
        """The last row up to a position, in its canonical form; None where there is none."""
        rows = self._rows("select_last_leaf", upto=upto)
        return bytes(rows[0]["leaf"]) if rows and rows[0]["leaf"] is not None else None

    def now(self) -> datetime:
        """The time by the database's clock."""
        moment: datetime = self._rows("select_clock")[0]["now"]
        return moment

    def stream(self, name: str) -> Sequence[RecordedEvent]:
        """The events of a stream, in order."""
        return read_page(self._connection, {name: 0}, POSITION_MAX)

    def check_topics(self, topics: Sequence[str]) -> None:
        """Raise `SchemaTooNew` where only a newer release knows one of these topics."""
        check_topics(self._connection, topics)

    def recall(self, streams: Sequence[str], upto: int) -> Iterator[tuple[str, int, int, str]]:
        """Stream, position, version and topic of the rows of streams up to a position, each stream in order."""
        parameters = {"streams": list(streams), "upto": upto}
        topics = SQL["select_topics"]
        question = f"COPY ({topics}) TO STDOUT (FORMAT BINARY)"
        with self._connection.cursor() as cursor, cursor.copy(question, parameters) as copy:
            copy.set_types(("text", "int8", "int8", "text"))
            yield from copy.rows()

    def set_aside(self) -> list[dict[str, Any]]:
        """What stood in the place of a checkpoint or a key and could be none, and why."""
        return self._rows("select_set_aside")

    def positions(self, stream: str) -> list[int]:
        """The positions of a stream's events, in order."""
        return [row["position"] for row in self._rows("select_stream_positions", stream=stream)]

    def tile(self, level: int, number: int) -> TileRow | None:
        """A tile, whole or as far as it has grown."""
        rows = self._rows("select_tile", level=level, number=number)
        return _tile(rows[0]) if rows else None

    def tiles(self, level: int, first: int, last: int) -> list[TileRow]:
        """The tiles of a level from one number to another, as far as they are there."""
        return [_tile(row) for row in self._rows("select_tiles", level=level, first=first, last=last)]

    def grow(self, tiles: Sequence[tuple[int, int, bytes, bytes]]) -> None:
        """Keep new tiles, and those that grew."""
        levels, numbers, hashes, sums = ([*column] for column in zip(*tiles, strict=True))
        parameters = {"levels": levels, "numbers": numbers, "hashes": hashes, "sums": sums}
        self._connection.execute(SQL["upsert_tiles"], parameters)

    def newest(self) -> str | None:
        """The note of the newest checkpoint."""
        rows = self._rows("select_newest_checkpoint")
        return rows[0]["note"] if rows else None

    def sealed(self) -> int:
        """How many events the newest checkpoint is over, by the column beside it; 0 where there is none."""
        return int(self._rows("select_sealed")[0]["size"])

    def at(self, size: int) -> str | None:
        """The note of the newest checkpoint over so many events."""
        rows = self._rows("select_checkpoint_of_size", size=size)
        return rows[0]["note"] if rows else None

    def checkpoints(self, upto: int = POSITION_MAX) -> list[CheckpointRow]:
        """Every checkpoint up to a size, the smallest first."""
        return [CheckpointRow(**row) for row in self._rows("select_checkpoints", upto=upto)]

    def sign(self, size: int, note: str) -> None:
        """Put a checkpoint on record."""
        self._connection.execute(SQL["insert_checkpoint"], {"size": size, "note": note})

    def public_keys(self) -> list[KeyRow]:
        """Every public key on record, the first in front."""
        return [KeyRow(**row) for row in self._rows("select_seal_keys")]

    def introduce(self, verifier_key: str, rotation: str | None) -> None:
        """Put a public key on record, with the rotation that brings it."""
        self._connection.execute(SQL["insert_seal_key"], {"verifier_key": verifier_key, "rotation": rotation})

    def _rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return self._connection.execute(SQL[statement], parameters or None).fetchall()


class SealTable:
    """Opens what is sealed, for whoever seals and for whoever reads."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    @contextmanager
    def sealing(self) -> Iterator[Seals]:
        """A transaction that seals: one at a time, beside all appends, all of it or nothing.

        A standby has what was sealed, where one is waited for. Raises `Unavailable`, `OutcomeUnknown` among it.
        """
        try:
            with self._transaction(IsolationLevel.READ_COMMITTED, confirmed) as connection:
                bound_waits(connection, local=True)
                connection.execute(SQL["take_seal_lock"])
                yield Seals(connection)
        except AccessDenied as error:
            if error.facts.get("sqlstate") != LACKS_PRIVILEGE:
                raise
            raise AccessDenied(
                "Who seals must be granted jobledger_sealer, and this user of the database is not.", **error.facts
            ) from error

    @contextmanager
    def reading(self) -> Iterator[Seals]:
        """Everything as it stands at one moment. Raises `Unavailable`."""
        with self._transaction(IsolationLevel.REPEATABLE_READ, Connection.transaction) as connection:
            yield Seals(connection)

    @contextmanager
    def _transaction(self, level: IsolationLevel, begin: Begin) -> Iterator[Connection[Any]]:
        with self._connect() as connection:
            connection.isolation_level = level
            try:
                with in_our_words, begin(connection):
                    yield connection
            finally:
                if not connection.closed:
                    connection.isolation_level = None


def _tile(row: dict[str, Any]) -> TileRow:
    return TileRow(row["level"], row["number"], bytes(row["hashes"]), bytes(row["sums"]))
