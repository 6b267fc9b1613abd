"""Proofs over a Merkle tree, and their checks.

Inclusion and consistency are those of RFC 6962, section 2.1, checked as RFC 9162, sections 2.1.3.2 and 2.1.4.2 say.
A cover proves many leaves of one tree at once: the hashes of the largest subtrees that hold none of them, from left to
right; of a whole tree it is empty, of a range it has a few hashes on either side.
"""

from collections.abc import Callable, Iterator, Sequence

from ledger.errors import MalformedProof
from ledger.integrity.hashing import EMPTY_ROOT, node_hash, split_point

Subtree = Callable[[int, int], bytes]
"""The hash of the tree over the leaves from one index to before another."""


def prove_inclusion(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """The audit path of a leaf in the tree of so many leaves, from the leaf up."""
    # RFC 6962, section 2.1.1: PATH(m, D[n]) is, where m < k, PATH(m, D[0:k]) : MTH(D[k:n]), else PATH(m - k, D[k:n]) :
    # MTH(D[0:k]). Here it is walked from the root down, and turned round at the end.
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:  # 63 times at most: each time one part of two is left
        middle = start + split_point(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf and its audit path lead to; raises `MalformedProof` where the path has another length."""
    if not 0 <= index < size:
        raise MalformedProof(f"A leaf must lie in its tree, and {index} does not lie below {size}.")
    # RFC 9162, section 2.1.3.2: `place` is its fn, `last` its sn, `root` its r. Where `place` is odd the sibling is on
    # the left; where it is the last of its level, without a sibling on its right, levels without a node are passed
    # over.
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise MalformedProof("An audit path must end at the root, and this goes on.")
        if place % 2 or place == last:
            root = node_hash(sibling, root)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise MalformedProof("An audit path must reach the root, and this ends before.")
    return root


def prove_consistency(subtree: Subtree, old: int, new: int) -> list[bytes]:
    """What shows that the tree of `new` leaves begins with that of `old`; empty for equal sizes and for none."""
    if old in (0, new):
        return []
    # RFC 6962, section 2.1.2: SUBPROOF(m, D[n], b); `whole` is its b, whether all of the way down was to the left, so
    # that the old tree is a whole subtree whose root the one who checks has already.
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old < end:  # 63 times at most, as above
        middle = start + split_point(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree(start, end))
    return path[::-1]


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a proof shows that the new tree begins with the old one."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not path and old_root == (EMPTY_ROOT if old == 0 else new_root)
    # RFC 9162, section 2.1.4.2: `place` is its fn, `last` its sn, `was` its fr and `now` its sr. Where the old tree is
    # a whole subtree (a power of two leaves), its root is where the path begins.
    rest = list(path)
    place, last = old - 1, new - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    if place and not rest:
        return False
    first = rest.pop(0) if place else old_root
    was = now = first
    for sibling in rest:
        if last == 0:
            return False
        if place % 2 or place == last:
            was, now = node_hash(sibling, was), node_hash(sibling, now)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def prove_cover(subtree: Subtree, indexes: Sequence[int], size: int) -> Iterator[bytes]:
    """The cover of these leaves, which ascend, in the tree of so many."""
    # Depth first, the left part first: a subtree that holds none of the leaves is one hash, one that holds nothing else
    # is none, and only the others are split.
    waiting = [(0, size, 0, len(indexes))]
    while waiting:
        start, end, first, last = waiting.pop()
        if first == last:
            if end > start:
                yield subtree(start, end)
        elif last - first < end - start:
            middle = start + split_point(end - start)
            cut = _first_from(indexes, middle, first, last)
            waiting += [(middle, end, cut, last), (start, middle, first, cut)]


def _first_from(indexes: Sequence[int], least: int, first: int, last: int) -> int:
    while first < last:
        middle = (first + last) // 2
        first, last = (middle + 1, last) if indexes[middle] < least else (first, middle)
    return first


def root_of_cover(leaves: Sequence[tuple[int, bytes]], size: int, cover: Sequence[bytes]) -> bytes:
    """The root that leaves, by ascending index, and their cover lead to; raises `MalformedProof`."""
    # The same walk as `prove_cover`: a subtree without a leaf at hand takes the next hash of the cover. It is as deep
    # as the tree is high, 63 at most.
    rest = iter(cover)
    place = 0

    def root(start: int, end: int) -> bytes:
        nonlocal place
        if place == len(leaves) or leaves[place][0] >= end:
            return _next(rest)
        if end - start == 1:
            place += 1
            return leaves[place - 1][1]
        middle = start + split_point(end - start)
        return node_hash(root(start, middle), root(middle, end))

    top = root(0, size) if size else EMPTY_ROOT
    if place < len(leaves) or next(rest, None) is not None:
        raise MalformedProof("A cover must speak of exactly the leaves at hand, and this speaks of others.")
    return top


def _next(rest: Iterator[bytes]) -> bytes:
    try:
        return next(rest)
    except StopIteration:
        raise MalformedProof("A cover must reach the root, and this ends before.") from None
