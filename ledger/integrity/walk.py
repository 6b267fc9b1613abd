"""A walk over the stored rows, held against the stored tree; what the tree would be with those rows comes out of it.

The tree is that of RFC 6962, section 2.1, over the canonical rows in the order of positions, kept as tiles of 256
hashes (C2SP tlog-tiles): one of level 0 has the hashes of 256 leaves, one of level n the roots of 256 full ones of
level n - 1.

    level 1     [ root of 0/0 , root of 0/1 ]                  a hash more with each tile below that becomes full
                        ▲             ▲
    level 0     [ 1 … 256 ]   [ 257 … 512 ]   [ 513 … 700 ]    the last one may be short
                    ▲ leaf_hash
    rows        position 1, 2, 3 …                             a position without a row has the leaf of a gap

A row is not believed because a leaf agrees with it, nor a leaf because the root does: whoever owns the database may
have altered any of the three. So two trees come out, each with all that is above its leaves computed anew. `found` has
the rows as they are: where its root is what was signed, these are the rows that were sealed. `sealed` has the leaves as
they are stored: where that root is what was signed, a leaf that differs from its row convicts the row, else it convicts
nobody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ledger.integrity.findings import Difference, Finding, Kind
from ledger.integrity.hashing import HASH_BYTES, leaf_hash
from ledger.integrity.leaf import GAP, SUMS_BYTES, sum_parts
from ledger.integrity.promises import Breach, Promises
from ledger.integrity.tiles import TILE_HASHES, AnyTile, Tile, TileStore, cut, root_of_full
from ledger.store.seals import POSITION_MIN, Leaf, Seals, TileRow

SEGMENT_EVENTS = 65_536  # 256 whole tiles, so that no tile is walked over in two parts but at the ends
LEVELS_MAX = 9  # of 256 ** 8 leaves there are more than positions
DIFFERENCES_MAX = 1_000
_NOTHING = bytes(HASH_BYTES)
_GAP = leaf_hash(GAP)


class Overlay:
    """The stored tree with other leaves in place of some of its own, and everything above them computed anew."""

    def __init__(self, stored: TileStore) -> None:
        self._stored = stored
        self._leaves: dict[int, bytes] = {}
        self._above: dict[int, dict[int, bytes]] = {}
        self._made: dict[tuple[int, int], Tile] = {}

    def put(self, number: int, hashes: bytes, root: bytes | None) -> None:
        """Let a tile of leaves be this one; `root` is its root where it is full."""
        self._leaves[number] = hashes
        self.put_root(number, root)

    def put_root(self, number: int, root: bytes | None) -> None:
        """Say that a tile of leaves is as it is stored."""
        if root is not None:
            self._above.setdefault(1, {})[number] = root

    def finish(self) -> None:
        """Compute the levels above, once every tile is put."""
        for level in range(1, LEVELS_MAX):
            entries = self._above.get(level)
            if not entries:
                return
            for number in {place // TILE_HASHES for place in entries}:
                made = self._overlaid(level, number, entries)
                self._made[level, number] = made
                if len(made.hashes) == TILE_HASHES * HASH_BYTES:
                    self._above.setdefault(level + 1, {})[number] = root_of_full(cut(made.hashes))

    def _overlaid(self, level: int, number: int, entries: dict[int, bytes]) -> Tile:
        # Only what is above a leaf that was walked over is computed; its neighbours to the left and right are as
        # stored.
        stored = self._stored.tile(level, number)
        hashes = dict(enumerate(cut(stored.hashes))) if stored else {}
        start = number * TILE_HASHES
        hashes |= {n: entries[start + n] for n in range(TILE_HASHES) if start + n in entries}
        ordered = (hashes.get(n, _NOTHING) for n in range(max(hashes) + 1))
        return Tile(level, number, b"".join(ordered))

    def tile(self, level: int, number: int) -> AnyTile | None:
        """A tile as it is with the leaves that were put."""
        if level == 0 and number in self._leaves:
            return Tile(0, number, self._leaves[number])
        if (level, number) in self._made:
            return self._made[level, number]
        return self._stored.tile(level, number)

    def altered_above(self) -> Iterator[tuple[int, int]]:
        """The tiles above the leaves, by level and number, that are stored otherwise than these leaves have them."""
        for (level, number), made in self._made.items():
            stored = self._stored.tile(level, number)
            if stored is None or stored.hashes[: len(made.hashes)] != made.hashes:
                yield level, number


@dataclass(slots=True)
class Walk:
    """The rows from one position to another, which the tree has, against the leaves of the stored tree.

    With `promises`, which begin there too, they are held against these as well. `gaps` were sealed without a row.
    """

    seals: Seals
    first: int
    last: int
    promises: Promises | None = None
    found: Overlay = field(init=False)
    sealed: Overlay = field(init=False)
    findings: list[Finding] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    differing: int = 0
    gaps: list[int] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.found, self.sealed = Overlay(self.seals), Overlay(self.seals)

    def go(self) -> None:
        """Walk; `found` is the tree with the rows as they are, `sealed` that with the leaves as they are stored."""
        start = self.first
        while start <= self.last:
            end = min(self.last, (start - 1) // SEGMENT_EVENTS * SEGMENT_EVENTS + SEGMENT_EVENTS)
            self._segment(start, end)
            start = end + 1
        self.found.finish()
        self.sealed.finish()

    def _segment(self, start: int, end: int) -> None:
        # Before the first position there is nothing, and what somebody put there is seen as one row too many.
        after = POSITION_MIN if start == 1 else start - 1
        pages = self.seals.leaves(after, end)
        leaves = [leaf for page in pages for leaf in page]
        if self.promises is not None:
            there = [(position, leaf) for position, leaf in leaves if leaf is not None and position >= start]
            self.breaches += self.promises.check(there)
        if [position for position, _ in leaves] != list(range(start, end + 1)):
            leaves = self._mend(leaves, start, end)
        # From here on there is one leaf for each position: RFC 6962 knows no tree with holes.
        assert len(leaves) == end - start + 1  # noqa: S101 - `_mend` made it so
        hashes = [leaf_hash(leaf) if leaf is not None else _NOTHING for _, leaf in leaves]
        first, last = (start - 1) // TILE_HASHES, (end - 1) // TILE_HASHES
        stored = {tile.number: tile for tile in self.seals.tiles(0, first, last)}
        for number in range(first, last + 1):
            low, high = max(start - 1, number * TILE_HASHES), min(end, (number + 1) * TILE_HASHES)
            part = slice(low - start + 1, high - start + 1)
            self._tile(number, low - number * TILE_HASHES, hashes[part], leaves[part], stored.get(number))

    def _tile(self, number: int, place: int, hashes: list[bytes], leaves: list[Leaf], stored: TileRow | None) -> None:
        # A segment may begin or end within a tile: what is left and right of it stays as it is stored.
        kept = stored.hashes if stored else b""
        here = slice(place * HASH_BYTES, (place + len(hashes)) * HASH_BYTES)
        made = b"".join(hashes)
        hashes_of_rows = kept[: here.start].ljust(here.start, b"\0") + made + kept[here.stop :]
        root = _root(kept)
        self.sealed.put_root(number, root)
        if hashes_of_rows == kept:
            self.found.put_root(number, root)
        else:
            self.found.put(number, hashes_of_rows, _root(hashes_of_rows))
        if _GAP in made:  # a look at the bytes: gaps are few, and hashes are many
            same = zip(leaves, cut(kept[here]), strict=False)
            self.gaps += [position for (position, leaf), hash_ in same if leaf == GAP and hash_ == _GAP]
        if kept[here] != made:
            self._compare(hashes, leaves, cut(kept[here]), cut(stored.sums, SUMS_BYTES)[place:] if stored else [])

    def _compare(self, hashes: list[bytes], leaves: list[Leaf], kept: list[bytes], sums: list[bytes]) -> None:
        for n, (mine, (position, leaf)) in enumerate(zip(hashes, leaves, strict=True)):
            if n < len(kept) and mine == kept[n]:
                continue
            # What differs is told once: a row that is gone, one that was put in a gap, one that is no row, or another
            # row.
            self.differing += bool(leaf)
            if leaf == GAP:
                self._find(Kind.MISSING, f"No event is at position {position:,}, where one was sealed.", position)
            elif n < len(kept) and kept[n] == _GAP:
                self.differing -= 1
                self._find(Kind.CHANGED, f"An event is at position {position:,}, which was sealed without.", position)
            elif leaf is None:
                sentence = f"The event at position {position:,} is not the one that was sealed: a part of it is gone."
                self._find(Kind.CHANGED, sentence, position)
            elif len(self.differences) < DIFFERENCES_MAX:
                sealed = sums[n] if n < len(sums) and len(sums[n]) == SUMS_BYTES else b""
                self.differences.append(Difference(position, sum_parts(leaf), sealed))

    def _mend(self, leaves: list[Leaf], start: int, end: int) -> list[Leaf]:
        """A leaf for each position, that of a gap where there is none; a finding for each that is too many."""
        there: dict[int, bytes | None] = {}
        for position, leaf in leaves:
            if position < start:
                self._find(Kind.TWICE, f"An event is at position {position:,}, where none can be.", position)
            elif position in there:
                self._find(Kind.TWICE, f"More than one event is at position {position:,}.", position)
            else:
                there[position] = leaf
        return [(position, there.get(position, GAP)) for position in range(start, end + 1)]

    def _find(self, kind: Kind, sentence: str, position: int) -> None:
        if len(self.findings) < DIFFERENCES_MAX:
            self.findings.append(Finding(kind, sentence, position))


def _root(tile: bytes) -> bytes | None:
    return root_of_full(cut(tile)) if len(tile) == TILE_HASHES * HASH_BYTES else None


def walk_tail(seals: Seals, after: int, head: int, promises: Promises) -> tuple[int, list[Finding]]:
    """How many events come after the last that is sealed; where they leave a gap, and what they break."""
    expected, count = after + 1, 0
    findings: list[Finding] = []
    for _, chunk in seals.chunks(after, head):
        for position, _ in chunk:
            if position != expected and not findings:
                findings.append(_gap(expected, position))
            expected, count = position + 1, count + 1
        breaches = promises.check((position, leaf) for position, leaf in chunk if leaf is not None)
        findings += name_breaches(breaches[: DIFFERENCES_MAX - len(findings)])
    return count, findings


def name_breaches(breaches: Iterable[Breach]) -> list[Finding]:
    """What rows break of the ledger's promises."""
    return [Finding(Kind.PROMISE, f"{breach}", breach.position) for breach in breaches]


def _gap(expected: int, position: int) -> Finding:
    if position < expected:
        return Finding(Kind.TWICE, f"More than one event is at position {position:,}.", position)
    return Finding(Kind.MISSING, f"No event is at position {expected:,}, and the next is at {position:,}.", expected)
