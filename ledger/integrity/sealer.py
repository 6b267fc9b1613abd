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

from ledger.errors import DatabaseAway, KeyUnusable, OutcomeUnknown, PromiseBroken, SealRefused, Unavailable
from ledger.integrity.checkpoint import Checkpoint, SignedCheckpoint, origin_of
from ledger.integrity.claims import newest_signed
from ledger.integrity.hashing import leaf_hash
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.keyring import sign_rotation
from ledger.integrity.known import gap_spans
from ledger.integrity.leaf import GAP, sum_parts
from ledger.integrity.note import SigningKey, VerifierKey, sign_note
from ledger.integrity.promises import Breach, Promises, accepted_breaks
from ledger.integrity.tiles import Growth, Tile, Tree
from ledger.integrity.trust import Believed, Trust
from ledger.store.outage import Outage
from ledger.store.seals import Leaf, Seals

BATCH_EVENTS = 65_536


class SealRoom(Protocol):
    """Where a sealer works: one at a time, each time all or nothing."""

    def sealing(self) -> AbstractContextManager[Seals]:
        """A transaction that seals."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a sealing did: the checkpoint that now is the newest, and how many positions it took in.

    `gaps` are the first and last of the positions without an event among them; `broken` is where it stopped.
    """

    signed: SignedCheckpoint
    events: int
    new_key: bool = False
    gaps: tuple[tuple[int, int], ...] = ()
    broken: Breach | None = None


class Sealer:
    """Seals one ledger with the key in one file, which is made where there is none."""

    def __init__(self, room: SealRoom, file: KeyFile, *, batch_events: int = BATCH_EVENTS) -> None:
        self._room = room
        self._file = file
        self._batch_events = batch_events

    def seal(self) -> Sealed:
        """Seal everything that is committed.

        Raises `SealRefused` where what is stored contradicts a checkpoint, `PromiseBroken` where a row breaks a promise
        of the ledger and nobody accepted that, once all before it is sealed; `KeyUnusable`, `Unavailable`.
        """
        done = self.seal_sound()
        if done.broken is not None:
            raise broken(done.broken)
        return done

    def seal_sound(self) -> Sealed:
        """The same, but what stands behind a row that breaks a promise is left without an error."""
        events, new_key, gaps = 0, False, list[tuple[int, int]]()
        while True:
            done = self._seal_batch()
            events, new_key = events + done.events, new_key or done.new_key
            gaps += done.gaps
            if done.broken is not None or done.events < self._batch_events:
                return Sealed(done.signed, events, new_key, tuple(gaps), done.broken)

    def follow(self, every_seconds: float, wait: Callable[[float], object] = time.sleep) -> Iterator[Sealed]:
        """Seal again and again, `every_seconds`; what was done comes out each time that there was something.

        Goes on over restarts and failovers of the database. `SealRefused`, and after the first sealing what the
        database or the key refuses, is raised once it has been so for half a minute, for a stale primary may answer for
        a moment.
        """
        outage = Outage("Sealing", self._place)
        sealed = unsaid = False
        while True:
            done = None
            try:
                done = self.seal()
                outage.over()
            except (DatabaseAway, OutcomeUnknown) as error:
                unsaid = unsaid or isinstance(error, OutcomeUnknown)  # it may be sealed, and nobody was told
                outage.away(error)
            except (SealRefused, KeyUnusable, Unavailable) as error:
                if not (sealed or isinstance(error, SealRefused)):
                    raise
                outage.stale(error)
            if done is not None:
                sealed = True
                if done.events or done.new_key or unsaid:
                    unsaid = False
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
            events, gaps, breach = self._grow(seals, growth)
            if last is None or events or not _signed_by(last, key):
                last = _sign(seals, Checkpoint(key.name, growth.size, growth.root()), key)
        self._file.keep(last)  # after the commit, so that what is kept is never ahead of the database
        return Sealed(last, events, new_key, tuple(gap_spans(gaps)), breach)

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
            newer = _replaced_by(seals, key.verifier)
            if newer is not None:
                raise KeyUnusable(f"The key in {self._file.path} must be the newest, {newer}, and has been replaced.")
            return key, False
        if recorded:
            raise SealRefused(f"The ledger was sealed with the key {recorded[-1]}, which {self._file.path} is not.")
        seals.introduce(str(key.verifier), None)
        return key, True

    def _current(self, recorded: list[str]) -> SigningKey:
        """The key in the file; where a rotation was cut off after the database had it, that is finished first."""
        coming = self._file.next()
        if coming and str(coming.verifier) in recorded:
            return self._file.take_next()
        return self._file.read()

    def _last(self, seals: Seals, key: SigningKey) -> SignedCheckpoint | None:
        """The newest checkpoint on record, which must be ours and go beyond the one that was kept."""
        last = newest_signed(seals)
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
        return last

    def _grow(self, seals: Seals, growth: Growth) -> tuple[int, list[int], Breach | None]:
        """Take in the next positions as far as no promise is broken: how many, those without a row, and the break."""
        began, head = growth.size, seals.head()
        tiles: dict[tuple[int, int], Tile] = {}
        gaps: list[int] = []
        breach: Breach | None = None
        promises: Promises | None = None
        for end, chunk in seals.chunks(began, min(began + self._batch_events, head)):
            promises = promises or Promises(seals, began, accepted_breaks(seals))
            rows = _check_rows(chunk, growth.size)
            breach = next(iter(promises.check(rows.items())), None)
            whole = range(growth.size + 1, breach.position if breach else end + 1)
            leaves = [rows.get(position, GAP) for position in whole]
            gaps += [position for position in whole if position not in rows]
            grown = growth.append([leaf_hash(leaf) for leaf in leaves], [sum_parts(leaf) for leaf in leaves])
            tiles |= {(tile.level, tile.number): tile for tile in grown}
            if breach is not None:
                break
        if tiles:
            seals.grow(list(tiles.values()))
        return growth.size - began, gaps, breach


def _replaced_by(seals: Seals, key: VerifierKey) -> VerifierKey | None:
    """The key that came in the place of one: by a rotation, or because it has signed the newest checkpoint since.

    A key that is on record and did neither, as anybody may have put there before that was checked, replaces nothing.
    """
    believed = Believed.gather(Trust(), seals.public_keys())
    rotation = next((each for each in believed.followed if each.leaves == key), None)
    newest = newest_signed(seals)
    keys = believed.ring.keys
    later = newest.note.signers(keys[keys.index(key) + 1 :]) if newest is not None else []
    return rotation.comes if rotation is not None else next(iter(later), None)


def broken(breach: Breach) -> PromiseBroken:
    """The error for a row that nobody accepted."""
    return PromiseBroken(
        f"{breach} Nothing from there on is sealed; look at it, then jobledger seal --accept {breach.position} "
        "--reason TEXT.",
        position=breach.position,
        stream=breach.stream,
        promise=str(breach.promise),
    )


def _check_rows(chunk: list[Leaf], size: int) -> dict[int, bytes]:
    """The leaves of a chunk by their positions; raises where one is there twice, or a part of it is gone."""
    rows: dict[int, bytes] = {}
    for position, leaf in chunk:
        if leaf is None or position in rows:
            raise SealRefused(
                f"One whole row must be at position {position:,}, and there is another or none.", size=size
            )
        rows[position] = leaf
    return rows


def _signed_by(last: SignedCheckpoint, key: SigningKey) -> bool:
    return bool(last.note.signers([key.verifier]))


def _sign(seals: Seals, checkpoint: Checkpoint, key: SigningKey) -> SignedCheckpoint:
    signed = SignedCheckpoint(checkpoint, sign_note(checkpoint.text, [key]))
    seals.sign(checkpoint.size, str(signed.note))
    return signed
