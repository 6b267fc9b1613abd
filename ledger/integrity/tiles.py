"""The Merkle tree as tiles of 256 hashes, the layout of C2SP tlog-tiles (https://c2sp.org/tlog-tiles).

A tile of level 0 holds leaf hashes; one of level n holds the roots of full tiles of level n - 1. So a tree of a million
leaves is 3,907 + 16 + 1 tiles, of which an append changes the last of each level, and a proof reads a few.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from ledger.errors import TreeDamaged
from ledger.integrity.hashing import EMPTY_ROOT, HASH_BYTES, fold, node_hash, pair_up, split_point
from ledger.integrity.leaf import SUMS_BYTES

TILE_HASHES = 256
TILE_BITS = 8
TILES_KEPT_MAX = 64


class Tile(NamedTuple):
    """Up to 256 hashes, one after the other; `sums` beside the hashes of leaves (`leaf.sum_parts`)."""

    level: int
    number: int
    hashes: bytes
    sums: bytes = b""


class AnyTile(Protocol):
    """A tile, whoever keeps it."""

    @property
    def hashes(self) -> bytes:
        """The hashes, one after the other."""

    @property
    def sums(self) -> bytes:
        """The sums beside the hashes of leaves."""


class TileStore(Protocol):
    """Where tiles are kept."""

    def tile(self, level: int, number: int) -> AnyTile | None:
        """A tile, whole or as far as it has grown; None where there is none."""


def cut(hashes: bytes, width: int = HASH_BYTES) -> list[bytes]:
    """Hashes that stand one after the other, each by itself."""
    return [hashes[place : place + width] for place in range(0, len(hashes), width)]


def root_of_full(hashes: Sequence[bytes]) -> bytes:
    """The root over a number of hashes that is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = pair_up(level)
    return level[0]


class Tree:
    """A tree of so many leaves over stored tiles; raises `TreeDamaged` where one that it needs is not there."""

    def __init__(self, store: TileStore, size: int) -> None:
        self.size = size
        self._store = store
        self._read: dict[tuple[int, int], list[bytes]] = {}

    def root(self) -> bytes:
        """The root of the tree."""
        return self.subtree(0, self.size)

    def subtree(self, start: int, end: int) -> bytes:
        """The root over the leaves from `start` to before `end`, as it stands in the tree."""
        if start == end:
            return EMPTY_ROOT
        width = end - start
        if width & (width - 1) == 0:
            return self._perfect(start, width)
        middle = start + split_point(width)
        return node_hash(self.subtree(start, middle), self.subtree(middle, end))

    def _perfect(self, start: int, width: int) -> bytes:
        level = (width.bit_length() - 1) // TILE_BITS
        first, count = start >> level * TILE_BITS, width >> level * TILE_BITS
        number, place = divmod(first, TILE_HASHES)
        return root_of_full(self._hashes(level, number, place + count)[place : place + count])

    def _hashes(self, level: int, number: int, least: int) -> list[bytes]:
        if (level, number) not in self._read:
            if len(self._read) >= TILES_KEPT_MAX:
                self._read.clear()
            tile = self._store.tile(level, number)
            self._read[level, number] = cut(tile.hashes) if tile else []
        hashes = self._read[level, number]
        if len(hashes) < least:
            raise TreeDamaged(
                f"The tree must hold {self.size:,} leaves, and its tile {level}/{number} has {len(hashes)} of {least}.",
                level=level,
                tile=number,
            )
        return hashes


class Growth:
    """A tree that leaves are appended to; it keeps the last tile of each level, and hands out those that changed."""

    def __init__(self, store: TileStore, size: int) -> None:
        self.size = size
        self._last: list[list[bytes]] = []
        self._sums = b""
        self._resume(store)

    def _resume(self, store: TileStore) -> None:
        tree, level = Tree(store, self.size), 0
        while self.size >> level * TILE_BITS:
            number, count = divmod(self.size >> level * TILE_BITS, TILE_HASHES)
            self._last.append(tree._hashes(level, number, count)[:count] if count else [])  # noqa: SLF001 - the same file
            level += 1
        partial = store.tile(0, self.size // TILE_HASHES) if self.size % TILE_HASHES else None
        self._sums = partial.sums[: self.size % TILE_HASHES * SUMS_BYTES] if partial else b""

    def root(self) -> bytes:
        """The root of the tree as it has grown."""
        peaks: list[bytes] = []
        for hashes in self._last:
            peaks = _peaks(hashes) + peaks
        return fold(peaks)

    def append(self, hashes: Sequence[bytes], sums: Sequence[bytes]) -> Iterator[Tile]:
        """Append leaves; the tiles that grew come out, each once, as far as they have come."""
        changed: dict[tuple[int, int], Tile] = {}
        place = 0
        while place < len(hashes):
            room = TILE_HASHES - self.size % TILE_HASHES
            part = hashes[place : place + room]
            self._sums = b"".join((self._sums, *sums[place : place + room]))
            self._grow(0, self.size // TILE_HASHES, part, changed)
            self.size += len(part)
            place += len(part)
        yield from changed.values()

    def _grow(self, level: int, number: int, hashes: Sequence[bytes], changed: dict[tuple[int, int], Tile]) -> None:
        if level == len(self._last):
            self._last.append([])
        last = self._last[level]
        last += hashes
        changed[level, number] = Tile(level, number, b"".join(last), self._sums if level == 0 else b"")
        if len(last) == TILE_HASHES:
            self._last[level] = []
            self._sums = b"" if level == 0 else self._sums
            above, _ = divmod(number, TILE_HASHES)
            self._grow(level + 1, above, [root_of_full(last)], changed)


def _peaks(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the perfect subtrees over the hashes of an unfinished tile, the largest first."""
    peaks, place = [], 0
    for bit in reversed(range(TILE_BITS)):
        if len(hashes) >> bit & 1:
            peaks.append(root_of_full(hashes[place : place + (1 << bit)]))
            place += 1 << bit
    return peaks
