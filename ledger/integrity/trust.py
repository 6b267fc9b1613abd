"""Whom a verification believes: the keys that were named, or those that the ledger itself has on record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from ledger.errors import MalformedKey, MalformedNote
from ledger.integrity.checkpoint import SignedCheckpoint
from ledger.integrity.findings import Finding, Kind
from ledger.integrity.keyring import Keyring, Rotation
from ledger.integrity.note import VerifierKey

ON_RECORD = "the keys on record, which whoever rewrites the ledger can replace"


class Introduced(Protocol):
    """A key as it is on record."""

    @property
    def verifier_key(self) -> str:
        """The key as text."""

    @property
    def rotation(self) -> str | None:
        """The note that brought it in the place of another."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Keys from outside the ledger, and where they came from in words; without keys, those on record must do."""

    keys: tuple[VerifierKey, ...] = ()
    source: str = ON_RECORD


@dataclass(frozen=True, slots=True)
class Believed:
    """The keys that are believed for one ledger, the rotations between them, and what was wrong with others."""

    ring: Keyring
    followed: tuple[Rotation, ...]
    findings: tuple[Finding, ...]

    @classmethod
    def gather(cls, trust: Trust, recorded: Iterable[Introduced]) -> Self:
        """Follow the rotations on record from the keys that are trusted."""
        keys, rotations, findings = [], [], []
        for row in recorded:
            try:
                keys.append(VerifierKey.parse(row.verifier_key))
                if row.rotation is not None:
                    rotations.append(Rotation.parse(row.rotation))
            except (MalformedKey, MalformedNote) as error:
                findings.append(Finding(Kind.ROTATION, f"A key on record is not as it must be: {error}"))
        findings += _forks(rotations)
        ring = Keyring(trust.keys or keys, rotations)
        followed = tuple(rotation for rotation in rotations if rotation.comes in ring.keys)
        return cls(ring, followed, tuple(findings))


def _forks(rotations: Sequence[Rotation]) -> list[Finding]:
    """A key that left twice was used by somebody who should not have had it."""
    after: dict[VerifierKey, Rotation] = {}
    twice = [rotation.leaves for rotation in rotations if after.setdefault(rotation.leaves, rotation) != rotation]
    return [Finding(Kind.ROTATION, f"The key {key} was followed by two others.") for key in twice]


def read_checkpoint(
    note: str, origin: str, ring: Keyring, what: str
) -> tuple[SignedCheckpoint | None, VerifierKey | None, list[Finding]]:
    """A checkpoint, the key that is believed of it, and what is wrong with it; None where nothing can be believed."""
    try:
        signed = SignedCheckpoint.parse(note)
        signer = ring.signer(signed)
    except MalformedNote as error:
        return None, None, [Finding(Kind.CHECKPOINT, f"The checkpoint {what} is not as it was signed: {error}")]
    if signed.checkpoint.origin != origin:
        sentence = f"The checkpoint {what} must be of {origin}, and is of {signed.checkpoint.origin}."
        return None, None, [Finding(Kind.CHECKPOINT, sentence)]
    if signer is None:
        names = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in signed.note.signatures)
        sentence = (
            f"The checkpoint {what} is signed by no key that is trusted for its {signed.size:,} events, but by {names}."
        )
        return None, None, [Finding(Kind.UNKNOWN_KEY, sentence)]
    return signed, signer, []
