"""Held against tlog-scales, which reads C2SP logs by code of its own: tiles, checkpoints, notes and proofs."""

from pathlib import Path

import pytest
from tlog_scales import tiles
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import PlainEd25519Signer, Vkey, VkeySet
from tlog_scales.tlog import Checkpoint as TheirCheckpoint

from ledger.integrity.checkpoint import Checkpoint, SignedCheckpoint
from ledger.integrity.hashing import leaf_hash
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.note import SigningKey, VerifierKey
from ledger.integrity.proofs import (
    is_consistent,
    prove_consistency,
    prove_inclusion,
    root_of_inclusion,
)
from ledger.integrity.sealer import Sealer
from ledger.integrity.tiles import Tree
from ledger.store.seals import SealTable
from tests.integrity.conftest import record

EVENTS = 700


def _publish(room: SealTable, folder: Path) -> None:
    """Lay the stored tiles and the newest checkpoint out as C2SP tlog-tiles wants them."""
    with room.reading() as seals:
        for level in (0, 1):
            for tile in seals.tiles(level, 0, 1_000):
                width = len(tile.hashes) // 32
                path = folder.joinpath(*tiles.tile_path(level, tile.number, 0 if width == 256 else width))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(tile.hashes)
        (folder / "checkpoint").write_text(seals.newest() or "", encoding="utf-8")


def test_another_reader_finds_the_same_root_and_proofs(
    conninfo: str, room: SealTable, sealer: Sealer, key_file: KeyFile, tmp_path: Path
) -> None:
    record(conninfo, 1, EVENTS)
    sealer.seal()
    _publish(room, tmp_path)
    theirs = TilesReader(LocalBackend(tmp_path))
    head = theirs.get_checkpoint()
    assert theirs.calculate_root_hash() == head.root_hash
    keys = VkeySet(Vkey.from_string(str(key_file.verifier())))
    assert len(keys.verify(head.signatures, head)) == 1

    with room.reading() as seals:
        tree = Tree(seals, EVENTS)
        leaves = [leaf or b"" for page in seals.leaves(0, EVENTS) for _, leaf in page]
        for index in (0, 1, 255, 256, 511, 698, 699):
            proof = theirs.get_inclusion_proof(index, EVENTS)
            assert prove_inclusion(tree.subtree, index, EVENTS) == proof.node_hashes
            proof.check(tiles.leaf_hash(leaves[index]), head.root_hash)
            assert root_of_inclusion(leaf_hash(leaves[index]), index, EVENTS, proof.node_hashes) == head.root_hash
        for old in (1, 255, 256, 257, 512, 699):
            path = theirs.get_consistency_proof(old, EVENTS).node_hashes
            assert prove_consistency(tree.subtree, old, EVENTS) == path
            assert is_consistent(old, tree.subtree(0, old), EVENTS, head.root_hash, path)


@pytest.mark.parametrize("size", [0, 1, 1 << 40])
def test_what_others_sign_is_read_here(size: int) -> None:
    key = SigningKey.create("jobledger/other")
    signed = TheirCheckpoint.make_signed("jobledger/other", size, bytes(32), [PlainEd25519Signer(key.name, key.secret)])

    ours = SignedCheckpoint.parse(signed.serialize())

    assert ours.checkpoint == Checkpoint("jobledger/other", size, bytes(32))
    assert ours.note.signers([VerifierKey.parse(str(key.verifier))]) == [key.verifier]
    assert str(ours.note) == signed.serialize()
