import stat
from pathlib import Path

import psycopg
import pytest

from ledger.errors import KeyUnusable, MalformedNote, SealRefused
from ledger.integrity.checkpoint import Checkpoint, SignedCheckpoint
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.keyring import Keyring, Rotation, sign_rotation
from ledger.integrity.note import Note, SigningKey, VerifierKey, sign_note
from ledger.integrity.sealer import Sealer
from ledger.integrity.trust import Trust
from ledger.integrity.verify import Verifier
from ledger.store.seals import SealTable
from tests.integrity.conftest import record

NAME = "jobledger/x"


def _checkpoint(size: int, *keys: SigningKey) -> SignedCheckpoint:
    head = Checkpoint(NAME, size, bytes(32))
    return SignedCheckpoint(head, sign_note(head.text, keys))


def test_a_key_is_made_where_there_is_none_and_closed_to_others(sealer: Sealer, key_file: KeyFile) -> None:
    sealer.seal()

    assert stat.S_IMODE(key_file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.path.parent.stat().st_mode) == 0o700
    assert key_file.verifier() == key_file.read().verifier
    key_file.path.chmod(0o640)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        sealer.seal()


def test_whoever_trusts_the_first_key_or_the_last_follows_to_the_others(
    conninfo: str, room: SealTable, sealer: Sealer, key_file: KeyFile
) -> None:
    keys: list[VerifierKey] = []
    for n in range(3):
        record(conninfo, n * 10 + 1, n * 10 + 10)
        sealer.rotate() if n else sealer.seal()
        keys.append(key_file.read().verifier)

    assert len(set(keys)) == 3
    for key in keys:
        assert Verifier(room, Trust((key,)), key_file.kept()).verify().ok
    assert {path.name for path in key_file.path.parent.iterdir()} == {
        "seal.key",
        "seal.key.pub",
        "seal.key.checkpoint",
    }


def test_a_key_that_was_replaced_signs_nothing_more(
    conninfo: str, room: SealTable, sealer: Sealer, key_file: KeyFile, tmp_path: Path
) -> None:
    sealer.seal()
    stolen = tmp_path / "stolen.key"
    stolen.write_text(key_file.path.read_text())
    stolen.chmod(0o600)
    sealer.rotate()
    record(conninfo, 1, 5)

    with pytest.raises(KeyUnusable, match="replaced"):
        Sealer(room, KeyFile(stolen)).seal()
    with room.sealing() as seals:
        head = Checkpoint(KeyFile(stolen).read().name, 5, bytes(32))
        seals.sign(5, str(sign_note(head.text, [KeyFile(stolen).read()])))
    report = Verifier(room, Trust((KeyFile(stolen).read().verifier,))).verify()
    assert [str(found.kind) for found in report.findings] == ["unknown_key"]


def test_a_span_ends_where_the_rotation_says() -> None:
    old, new, other = (SigningKey.create(NAME) for _ in range(3))
    rotation = Rotation.parse(str(sign_rotation(Checkpoint(NAME, 10, bytes(32)), old, new)))

    for trusted in (old, new):
        ring = Keyring([trusted.verifier], [rotation])
        assert ring.signer(_checkpoint(10, old)) == old.verifier
        assert ring.signer(_checkpoint(10, new)) == new.verifier
        assert ring.signer(_checkpoint(11, old)) is None
        assert ring.signer(_checkpoint(9, new)) is None
        assert ring.signer(_checkpoint(11, other)) is None
        assert ring.signer(_checkpoint(11, old, new)) == new.verifier
    assert Keyring([other.verifier], [rotation]).keys == [other.verifier]


def test_a_rotation_needs_both_keys_and_is_no_checkpoint() -> None:
    old, new, other = (SigningKey.create(NAME) for _ in range(3))
    note = sign_rotation(Checkpoint(NAME, 10, bytes(32)), old, new)

    with pytest.raises(MalformedNote):
        SignedCheckpoint.parse(str(note))
    for line in note.signatures:
        with pytest.raises(MalformedNote, match="both keys"):
            Rotation.parse(str(Note(note.text, (line,))))
    with pytest.raises(MalformedNote, match="both keys"):
        Rotation.parse(str(sign_note(note.text, [old, other])))
    with pytest.raises(MalformedNote):
        Rotation.parse(str(sign_note("x\n", [old])))


def test_a_second_signature_below_a_checkpoint_endorses_nobody() -> None:
    known, stranger = SigningKey.create(NAME), SigningKey.create(NAME)
    ring = Keyring([known.verifier])

    assert ring.signer(_checkpoint(5, known, stranger)) == known.verifier
    assert ring.signer(_checkpoint(6, stranger)) is None


def test_a_key_followed_by_two_others_is_told(room: SealTable, sealer: Sealer, key_file: KeyFile) -> None:
    done = sealer.seal()
    old, thief = key_file.read(), SigningKey.create(done.signed.checkpoint.origin)
    sealer.rotate()
    with room.sealing() as seals:
        seals.introduce(str(thief.verifier), str(sign_rotation(done.signed.checkpoint, old, thief)))

    report = Verifier(room, Trust((old.verifier,))).verify()

    assert [str(found.kind) for found in report.findings] == ["rotation"]
    assert "two others" in report.findings[0].sentence


def test_a_lost_key_is_said_and_given_up_only_when_asked(
    conninfo: str, room: SealTable, sealer: Sealer, key_file: KeyFile
) -> None:
    record(conninfo, 1, 5)
    sealer.seal()
    lost = key_file.read().verifier
    with pytest.raises(KeyUnusable, match="is there"):
        sealer.replace_lost_key()
    key_file.path.unlink()
    with pytest.raises(KeyUnusable, match="replace-lost-key"):
        sealer.seal()

    record(conninfo, 6, 9)
    assert sealer.replace_lost_key().signed.size == 9

    found = Verifier(room, Trust((lost,))).verify()
    assert [str(finding.kind) for finding in found.findings] == ["unknown_key"]
    assert Verifier(room, Trust((lost, key_file.read().verifier))).verify().ok
    assert Verifier(room, Trust()).verify().ok


def test_the_key_of_another_ledger_seals_nothing(
    room: SealTable, sealer: Sealer, key_file: KeyFile, owner: psycopg.Connection[object]
) -> None:
    sealer.seal()
    owner.execute("DELETE FROM ledger.seal_keys")
    owner.execute("UPDATE ledger.identity SET ledger = gen_random_uuid()")

    with pytest.raises(KeyUnusable, match="must be this ledger's"):
        sealer.seal()


def test_a_ledger_that_was_sealed_by_a_stranger_is_not_sealed_on(
    room: SealTable, sealer: Sealer, key_file: KeyFile, owner: psycopg.Connection[object]
) -> None:
    done = sealer.seal()
    owner.execute("DELETE FROM ledger.seal_keys")
    with room.sealing() as seals:
        seals.introduce(str(SigningKey.create(done.signed.checkpoint.origin).verifier), None)

    with pytest.raises(SealRefused, match="which"):
        sealer.seal()
