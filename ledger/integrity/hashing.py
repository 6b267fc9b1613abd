"""The hashes of a Merkle tree of RFC 6962, section 2.1: SHA-256, leaves and nodes kept apart by a first byte."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf: MTH({d}) = SHA-256(0x00 || d)."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two others: SHA-256(0x01 || MTH(left) || MTH(right))."""
    return sha256(b"\1" + left + right).digest()


def pair_up(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above an even number of nodes."""
    return [sha256(b"\1" + hashes[n] + hashes[n + 1]).digest() for n in range(0, len(hashes), 2)]


def fold(peaks: Iterable[bytes]) -> bytes:
    """The root over perfect subtrees, from the largest, on the left, to the smallest.

    A tree of n leaves splits at the largest power of two below n, so that its left part is perfect and its right part
    splits again: the peaks are the bits of n, and are joined from the right. MTH({}) = SHA-256().
    """
    root = None
    for peak in reversed(list(peaks)):
        root = peak if root is None else node_hash(peak, root)
    return EMPTY_ROOT if root is None else root


def split_point(size: int) -> int:
    """How many leaves a tree of two or more has on its left: the largest power of two below its size, the k of MTH."""
    return 1 << (size - 1).bit_length() - 1
