"""Tiles in memory, and trees that are grown over them in pieces."""

from collections.abc import Iterable, Sequence

from ledger.integrity.hashing import leaf_hash
from ledger.integrity.leaf import SUMS_BYTES
from ledger.integrity.tiles import Growth, Tile


class Shelf:
    """Keeps tiles, and lets none change but by growing."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], Tile] = {}
        self.read = 0

    def tile(self, level: int, number: int) -> Tile | None:
        self.read += 1
        return self.tiles.get((level, number))

    def put(self, tiles: Iterable[Tile]) -> int:
        count = 0
        for tile in tiles:
            before = self.tiles.get((tile.level, tile.number))
            assert before is None or tile.hashes.startswith(before.hashes)
            self.tiles[tile.level, tile.number] = tile
            count += 1
        return count


def grown(leaves: Sequence[bytes], cuts: Iterable[int] = ()) -> Shelf:
    """A tree over these leaves, appended in pieces, each by a growth that starts from what is on the shelf."""
    shelf, size = Shelf(), 0
    for end in [*sorted(set(cuts)), len(leaves)]:
        growth = Growth(shelf, size)
        part = [leaf_hash(leaf) for leaf in leaves[size:end]]
        shelf.put(growth.append(part, [n.to_bytes(SUMS_BYTES, "big") for n in range(size, end)]))
        size = end
    return shelf
