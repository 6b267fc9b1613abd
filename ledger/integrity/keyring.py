"""Which keys may have signed which checkpoint: one that is trusted, and those that rotations lead to from it.

A rotation is a note of its own, signed by the key that leaves and by the key that comes; each names the other, so that
whoever trusts one of them can follow to the other. Its text is

    jobledger key rotation v1
    <origin>
    <size> the events at the rotation: up to there the old key signs, from there on the new one
    <root> their root, in base64
    <verifier key that leaves>
    <verifier key that comes>

and can be taken for no checkpoint, since its second line is no number. A second signature below a checkpoint would not
do: signature lines are not signed, and anybody may add one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from ledger.errors import MalformedKey, MalformedNote
from ledger.integrity.checkpoint import SIZE_MAX, Checkpoint, SignedCheckpoint
from ledger.integrity.note import Note, SigningKey, VerifierKey, sign_note

TITLE = "jobledger key rotation v1"
_LINES = 6


@dataclass(frozen=True, slots=True)
class Rotation:
    """One key came in the place of another, at this checkpoint."""

    at: Checkpoint
    leaves: VerifierKey
    comes: VerifierKey

    @property
    def text(self) -> str:
        """The text that both keys sign."""
        return f"{TITLE}\n{self.at.text}{self.leaves}\n{self.comes}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The rotation of a whole note, signed by both; raises `MalformedNote`."""
        note = Note.parse(text)
        lines = note.text.split("\n")[:-1]
        if len(lines) != _LINES or lines[0] != TITLE:
            raise MalformedNote("A rotation must have six lines, the first its title, and this has not.")
        at = Checkpoint.parse("\n".join([*lines[1:4], ""]))
        try:
            rotation = cls(at, VerifierKey.parse(lines[4]), VerifierKey.parse(lines[5]))
        except MalformedKey as error:
            raise MalformedNote(f"A rotation must name two keys: {error}") from None
        if set(note.signers((rotation.leaves, rotation.comes))) != {rotation.leaves, rotation.comes}:
            raise MalformedNote("A rotation must be signed by both keys that it names, and this is not.")
        return rotation


def sign_rotation(at: Checkpoint, leaves: SigningKey, comes: SigningKey) -> Note:
    """The note in which two keys say that one comes in the place of the other."""
    return sign_note(Rotation(at, leaves.verifier, comes.verifier).text, (leaves, comes))


@dataclass(frozen=True, slots=True)
class Trusted:
    """A key and the sizes of the checkpoints that it may have signed."""

    key: VerifierKey
    first: int = 0
    last: int = SIZE_MAX


class Keyring:
    """The keys that are trusted, each for its span."""

    def __init__(self, trusted: Iterable[VerifierKey], rotations: Sequence[Rotation] = ()) -> None:
        self._spans = {key: Trusted(key) for key in trusted}
        while any(self._follow(rotation) for rotation in rotations):
            pass

    def _follow(self, rotation: Rotation) -> bool:
        """Take in what a rotation says, where either key is trusted; whether that changed anything."""
        old, new, size = rotation.leaves, rotation.comes, rotation.at.size
        if old == new or (old not in self._spans and new not in self._spans):
            return False
        before = dict(self._spans)
        left, come = self._spans.get(old, Trusted(old)), self._spans.get(new, Trusted(new))
        self._spans[old] = Trusted(old, left.first, min(left.last, size))
        self._spans[new] = Trusted(new, max(come.first, size), come.last)
        return before != self._spans

    @property
    def keys(self) -> list[VerifierKey]:
        """Every key of the ring."""
        return list(self._spans)

    def signer(self, signed: SignedCheckpoint) -> VerifierKey | None:
        """The key of the ring that signed a checkpoint in its time; None where none did.

        Raises `MalformedNote` where a signature claims to be of such a key and is not.
        """
        for key in signed.note.signers(self.keys):
            span = self._spans[key]
            if span.first <= signed.size <= span.last and key.name == signed.checkpoint.origin:
                return key
        return None
