"""The tree heads that a verification holds rows against: whose they are, where they were found, which to believe."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.errors import MalformedNote, NothingTrusted, NotSealed
from ledger.integrity.checkpoint import Checkpoint, SignedCheckpoint, origin_of
from ledger.integrity.findings import Finding, Kind
from ledger.integrity.note import VerifierKey
from ledger.integrity.trust import Believed, Trust, read_checkpoint
from ledger.store.seals import Seals

Against = SignedCheckpoint | int | None
"""A checkpoint, or the size of one on record, or the newest."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A tree head that a key which is believed has signed, and where it was found."""

    head: Checkpoint
    what: str
    key: VerifierKey


@dataclass(slots=True)
class Claims:
    """Every tree head that is believed; `findings` tells what is wrong with the others.

    `on_record` is the size of the largest that the database has, believed or not.
    """

    origin: str
    believed: Believed
    trusted: list[Claim] = field(default_factory=list)
    signed: list[SignedCheckpoint] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    on_record: int = 0

    def take(self, note: str, what: str) -> SignedCheckpoint | None:
        """Take in a checkpoint, where it can be believed."""
        signed, key, findings = read_checkpoint(note, self.origin, self.believed.ring, what)
        self.findings += findings
        if signed is not None and key is not None:
            self.signed.append(signed)
            self.trusted.append(Claim(signed.checkpoint, what, key))
        return signed

    @property
    def largest(self) -> Claim | None:
        """The one over the most events, the last of them where they are equal."""
        return max(reversed(self.trusted), key=lambda claim: claim.head.size, default=None)

    def checkpoint(self) -> SignedCheckpoint:
        """The believed checkpoint over the most events; raises `NothingTrusted`."""
        if not self.signed:
            raise NothingTrusted(f"No checkpoint can be believed. {self.findings[0].sentence}")
        return max(reversed(self.signed), key=lambda signed: signed.size)


def newest_signed(seals: Seals) -> SignedCheckpoint | None:
    """The newest checkpoint on record that a key on record has signed; what else stands there ends no sealing."""
    keys = Believed.gather(Trust(), seals.public_keys()).ring.keys
    note = seals.newest()
    newest = _signed(note, keys) if note is not None else None
    if newest is not None or note is None:
        return newest
    return next((signed for row in reversed(seals.checkpoints()) if (signed := _signed(row.note, keys))), None)


def _signed(note: str, keys: Sequence[VerifierKey]) -> SignedCheckpoint | None:
    try:
        signed = SignedCheckpoint.parse(note)
        return signed if signed.note.signers(keys) else None
    except MalformedNote:
        return None


def gather(seals: Seals, believed: Believed, kept: SignedCheckpoint | None, against: Against) -> Claims:
    """The checkpoint that rows are held against; all that there are, unless one is named. Raises `NotSealed`."""
    claims = Claims(origin_of(seals.ledger()), believed, findings=list(believed.findings))
    claims.on_record = seals.sealed()
    if isinstance(against, int):
        note = seals.at(against)
        if note is None:
            raise NotSealed(f"There must be a checkpoint over {against:,} events, and there is none.", size=against)
        claims.take(note, "that was asked for")
    elif against is not None:
        claims.take(str(against.note), "that was given")
    else:
        _take_all(seals, claims, kept)
    return claims


def _take_all(seals: Seals, claims: Claims, kept: SignedCheckpoint | None) -> None:
    for row in seals.checkpoints():
        signed = claims.take(row.note, f"on record over {row.size:,} events")
        if signed is None:
            continue
        claims.on_record = max(claims.on_record, signed.size)
        if signed.size != row.size:
            sentence = f"The checkpoint on record over {row.size:,} events is over {signed.size:,}."
            claims.findings.append(Finding(Kind.CHECKPOINT, sentence))
    if kept is not None:
        claims.take(str(kept.note), "kept outside the database")
    claims.trusted += [Claim(rotation.at, "of a rotation", rotation.comes) for rotation in claims.believed.followed]


def name_losses(claims: Claims, head: int) -> list[Finding]:
    """What was signed and is not there any more."""
    findings = []
    sealed = max((claim.head.size for claim in claims.trusted), default=0)
    if head < min(sealed, claims.on_record):
        sentence = f"The ledger ends at position {head:,}, and {min(sealed, claims.on_record):,} events were sealed."
        findings.append(Finding(Kind.CUT_OFF, sentence, head + 1))
    if sealed > claims.on_record:
        claim = claims.largest
        what = claim.what if claim else ""
        findings.append(
            Finding(
                Kind.WENT_BACK,
                f"The checkpoint {what} is over {sealed:,} events, and the newest on record is over "
                f"{claims.on_record:,}: the ledger was restored, failed over with loss, or cut.",
                claims.on_record + 1,
            )
        )
    return findings
