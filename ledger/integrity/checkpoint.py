"""Checkpoints: a ledger's name, how many events its tree has and their root, as https://c2sp.org/tlog-checkpoint."""

import binascii
from dataclasses import dataclass
from typing import Self

from ledger.errors import MalformedNote
from ledger.integrity.hashing import HASH_BYTES
from ledger.integrity.note import Note, decode_base64, encode_base64

SIZE_MAX = (1 << 63) - 1
_LINES = 3


def origin_of(ledger: str) -> str:
    """The origin of a ledger's checkpoints, and the name of its keys, from its UUID."""
    return f"jobledger/{ledger}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: what a signature under it stands for."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint of a note's text; lines behind the third are passed over. Raises `MalformedNote`."""
        lines = text.split("\n")[:-1]
        if len(lines) < _LINES or not all(lines):
            raise MalformedNote("A checkpoint must have an origin, a size and a root, and this has not.")
        origin, size, root = lines[:_LINES]
        if not (size.isascii() and size.isdigit()) or str(int(size[:20])) != size or int(size) > SIZE_MAX:
            raise MalformedNote(f"The size of a checkpoint must be a plain number, and this is {size[:40]!r}.")
        try:
            decoded = decode_base64(root)
        except (ValueError, binascii.Error):
            decoded = b""
        if len(decoded) != HASH_BYTES:
            raise MalformedNote(f"The root of a checkpoint must be a hash in base64, and this is {root[:60]!r}.")
        return cls(origin, int(size), decoded)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was signed."""

    checkpoint: Checkpoint
    note: Note

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint of a whole note; raises `MalformedNote`. Whose it is, is another question."""
        note = Note.parse(text)
        return cls(Checkpoint.parse(note.text), note)

    @property
    def size(self) -> int:
        """How many events it is over."""
        return self.checkpoint.size
