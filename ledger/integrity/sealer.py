"""The sealer: reads what is committed, lets the tree grow over it, and signs where it ends.

Tiles and checkpoint go into one transaction, so that a sealer that is killed anywhere leaves the last checkpoint and
what belongs to it, and the next one goes on from there. It takes no lock that an append waits for. It signs nothing
that contradicts what was signed before: the newest checkpoint on record, and the one kept beside the key.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ledger.errors import KeyUnusable, MalformedNote, SealRefused, Unavailable
from ledger.integrity.checkpoint import Checkpoint, SignedCheckpoint, origin_of
from ledger.integrity.hashing import leaf_hash
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.keyring import sign_rotation
from ledger.integrity.leaf import sum_parts
from ledger.integrity.note import SigningKey, VerifierKey, sign_note
from ledger.integrity.tiles import Growth, Tile, Tree
from ledger.store.outage import Outage
from ledger.store.seals import Leaf, Seals

BATCH_EVENTS = 65_536


class SealRoom(Protocol):
    """Where a sealer works: one at a time, each time all or nothing."""

    def sealing(self) -> AbstractContextManager[Seals]:
        """A transaction that seals."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a sealing did: the checkpoint that now is the newest, and how many events it took in."""

    signed: SignedCheckpoint
    events: int
    new_key: bool = False


class Sealer:
    """Seals one ledger with the key in one file, which is made where there is none."""

    def __init__(self, room: SealRoom, file: KeyFile, *, batch_events: int = BATCH_EVENTS) -> None:
        self._room = room
        self._file = file
        self._batch_events = batch_events

    def seal(self) -> Sealed:
        """Seal everything that is committed.

        Raises `SealRefused` where what is stored contradicts a checkpoint, `KeyUnusable`, `Unavailable`.
        """
        events, new_key = 0, False
        while True:
            done = self._seal_batch()
            events, new_key = events + done.events, new_key or done.new_key
            if done.events < self._batch_events:
                return Sealed(done.signed, events, new_key)

    def follow(self, every_seconds: float, wait: Callable[[float], object] = time.sleep) -> Iterator[Sealed]:
        """Seal again and again, `every_seconds`; what was done comes out each time that there was something.

        Goes on over restarts and failovers of the database. `SealRefused`, and after the first sealing `KeyUnusable`,
        is raised once it has been so for half a minute, for a stale primary may answer for a moment.
        """
        outage = Outage("Sealing", self._place)
        sealed = False
        while True:
            done = None
            try:
                done = self.seal()
                outage.over()
            except Unavailable as error:
                outage.away(error)
            except (SealRefused, KeyUnusable) as error:
                if isinstance(error, KeyUnusable) and not sealed:
                    raise
                outage.stale(error)
            if done is not None:
                sealed = True
                if done.events or done.new_key:
                    yield done
            wait(every_seconds if done is not None else outage.pause)

    def _place(self) -> str:
        kept = self._file.kept()
        return f"position {kept.size if kept else 0:,}"

    def rotate(self) -> Sealed:
        """Seal, and let a new key come in the place of this one, which says so; raises as `seal` does.

        The old key is overwritten once the database has the rotation. Cut off anywhere, it can be repeated.
        """
        done = self.seal()
        with self._room.sealing() as seals:
            key, _ = self._key(seals)
            last = self._last(seals, key)
            at = last.checkpoint if last else done.signed.checkpoint
            comes = self._file.prepare_next(key.name)
            seals.introduce(str(comes.verifier), str(sign_rotation(at, key, comes)))
            signed = _sign(seals, at, comes)
        self._file.take_next()
        self._file.keep(signed)
        return Sealed(signed, done.events, new_key=True)

    def replace_lost_key(self) -> Sealed:
        """Begin with a key that no other speaks for, since that before is lost; raises `KeyUnusable` where it is not.

        Whoever trusts the old key sees where its checkpoints end, and has to be told of the new one.
        """
        with self._room.sealing() as seals:
            recorded = {row.verifier_key for row in seals.public_keys()}
            if self._file.exists() and str(self._file.read().verifier) in recorded:
                raise KeyUnusable(f"A key may be given up where it is lost, and {self._file.path} is there; rotate it.")
            key = self._file.create(origin_of(seals.ledger()))
            seals.introduce(str(key.verifier), None)
        return self.seal()

    def _seal_batch(self) -> Sealed:
        with self._room.sealing() as seals:
            key, new_key = self._key(seals)
            last = self._last(seals, key)
            growth = Growth(seals, last.size if last else 0)
            events = self._grow(seals, growth)
            if last is None or events or not _signed_by(last, key):
                last = _sign(seals, Checkpoint(key.name, growth.size, growth.root()), key)
        self._file.keep(last)  # after the commit, so that what is kept is never ahead of the database
        return Sealed(last, events, new_key)

    def _key(self, seals: Seals) -> tuple[SigningKey, bool]:
        """The key to sign with, and whether it was put on record here."""
        name = origin_of(seals.ledger())
        recorded = [row.verifier_key for row in seals.public_keys()]
        if not self._file.exists():
            if recorded:
                raise KeyUnusable(
                    f"The ledger is sealed with the key {recorded[-1]}, and {self._file.path} is not there: "
                    "bring it back, or say that it is lost (jobledger seal --replace-lost-key)."
                )
            self._file.create(name)
        key = self._current(recorded)
        if key.name != name:
            raise KeyUnusable(f"The key in {self._file.path} must be this ledger's, {name}, and is that of {key.name}.")
        if str(key.verifier) in recorded:
            if str(key.verifier) != recorded[-1]:
                raise KeyUnusable(
                    f"The key in {self._file.path} must be the newest, {recorded[-1]}, and has been replaced."
                )
            return key, False
        if recorded:
            raise SealRefused(f"The ledger was sealed with the key {recorded[-1]}, which {self._file.path} is not.")
        seals.introduce(str(key.verifier), None)
        return key, True

    def _current(self, recorded: list[str]) -> SigningKey:
        """The key in the file; where a rotation was cut off after the database had it, that is finished first."""
        coming = self._file.next()
        if coming and recorded and str(coming.verifier) == recorded[-1]:
            return self._file.take_next()
        return self._file.read()

    def _last(self, seals: Seals, key: SigningKey) -> SignedCheckpoint | None:
        """The newest checkpoint on record, which must be ours and go beyond the one that was kept."""
        note = seals.newest()
        last = SignedCheckpoint.parse(note) if note is not None else None
        kept = self._file.kept()
        if kept is not None and kept.checkpoint.origin != key.name:
            raise KeyUnusable(f"The checkpoint kept beside {self._file.path} must be of {key.name}, and is of another.")
        if kept is not None and (last is None or last.size < kept.size):
            raise SealRefused(
                f"A checkpoint over {kept.size:,} events was signed, and the newest on record is over "
                f"{last.size if last else 0:,}: the ledger was restored, failed over with loss, or cut.",
                size=kept.size,
            )
        for signed in (last, kept):
            if signed is not None and Tree(seals, signed.size).root() != signed.checkpoint.root:
                raise SealRefused(
                    f"The tree must be the one that was signed over {signed.size:,} events, and is another; "
                    "jobledger verify tells where.",
                    size=signed.size,
                )
        if last is not None:
            self._check_signature(last, seals)
        return last

    def _check_signature(self, last: SignedCheckpoint, seals: Seals) -> None:
        try:
            known = last.note.signers([VerifierKey.parse(row.verifier_key) for row in seals.public_keys()])
        except MalformedNote as error:
            raise SealRefused(f"The newest checkpoint must be one that was signed: {error}", size=last.size) from None
        if not known:
            raise SealRefused("The newest checkpoint must be signed by a key on record, and is not.", size=last.size)

    def _grow(self, seals: Seals, growth: Growth) -> int:
        """Take in the next rows; how many there were."""
        began = growth.size
        tiles: dict[tuple[int, int], Tile] = {}
        for page in seals.leaves(began, min(began + self._batch_events, seals.head())):
            leaves = _check_order(page, growth.size)
            grown = growth.append([leaf_hash(leaf) for leaf in leaves], [sum_parts(leaf) for leaf in leaves])
            tiles |= {(tile.level, tile.number): tile for tile in grown}
        if tiles:
            seals.grow(list(tiles.values()))
        return growth.size - began


def _check_order(page: list[Leaf], size: int) -> list[bytes]:
    """The leaves of a page, whose positions must go on from the tree without a gap."""
    leaves = []
    for expected, (position, leaf) in enumerate(page, start=size + 1):
        if position != expected or leaf is None:
            raise SealRefused(
                f"The next event must be at position {expected:,}, and it is missing or broken.", size=size
            )
        leaves.append(leaf)
    return leaves


def _signed_by(last: SignedCheckpoint, key: SigningKey) -> bool:
    return bool(last.note.signers([key.verifier]))


def _sign(seals: Seals, checkpoint: Checkpoint, key: SigningKey) -> SignedCheckpoint:
    signed = SignedCheckpoint(checkpoint, sign_note(checkpoint.text, [key]))
    seals.sign(checkpoint.size, str(signed.note))
    return signed
