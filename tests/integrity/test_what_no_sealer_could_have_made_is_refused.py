"""What the database itself refuses of tiles, checkpoints and keys, of whoever has not the rights of their owner."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.errors import AccessDenied
from ledger.integrity.checkpoint import Checkpoint, origin_of
from ledger.integrity.export import Export
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.keyring import sign_rotation
from ledger.integrity.note import SigningKey, sign_note
from ledger.integrity.sealer import Sealer
from ledger.integrity.trust import Trust
from ledger.integrity.verify import Verifier
from ledger.records.transcript import transcribe
from ledger.service.embedded.binaries import binaries
from ledger.service.readiness import WRITER, migrator
from ledger.store.connection import connect
from ledger.store.seals import SealTable
from tests.integrity.conftest import record
from tests.store.controls import as_role
from tests.store.older import older_release

HASH = "decode(repeat('00', 32), 'hex')"
SUM = "decode(repeat('00', 12), 'hex')"
FAR = (1 << 63) - 1


def _note(room: SealTable, key: SigningKey, size: int, origin: str | None = None) -> str:
    with room.reading() as seals:
        name = origin or origin_of(seals.ledger())
    return str(sign_note(Checkpoint(name, size, b"\0" * 32).text, [key]))


@pytest.mark.parametrize(
    "tile",
    [
        f"(0, 0, {HASH} || {HASH} || {HASH} || {HASH}, {SUM} || {SUM} || {SUM} || {SUM})",
        f"(0, 1, {HASH}, {SUM})",
        f"(1, 0, {HASH}, '')",
        f"(7, {FAR}, {HASH}, '')",
        f"(0, 0, {HASH}, '')",
    ],
    ids=["one leaf too many", "the next tile", "a level too high", "as far as a number goes", "without its sums"],
)
def test_no_tile_is_ahead_of_the_tree(superuser: str, conninfo: str, tile: str) -> None:
    """With three events there are no more than three leaves, each with its sum, and nothing above them."""
    record(conninfo, 1, 3)
    with as_role(superuser, "jobledger_sealer") as connection:
        with pytest.raises(psycopg.DatabaseError) as refused:
            connection.execute(f"INSERT INTO ledger.tiles VALUES {tile}")
        assert refused.value.sqlstate == "JL002"
        connection.execute(f"INSERT INTO ledger.tiles VALUES (0, 0, {HASH}, {SUM})")
        with pytest.raises(psycopg.DatabaseError) as refused:
            connection.execute("UPDATE ledger.tiles SET hashes = decode(repeat('00', 128), 'hex')")
    assert refused.value.sqlstate == "JL002"


def test_a_tile_that_nobody_signed_for_gives_way(superuser: str, conninfo: str, sealer: Sealer) -> None:
    """Whoever may write tiles cannot end sealing with one, for what no checkpoint speaks of is overwritten."""
    record(conninfo, 1, 700)
    with as_role(superuser, "jobledger_sealer") as connection:
        for number in (0, 1):
            connection.execute(
                "INSERT INTO ledger.tiles VALUES (0, %s, decode(repeat('00', 8192), 'hex'), "
                "decode(repeat('00', 3072), 'hex'))",
                (number,),
            )
    assert sealer.seal().signed.size == 700


@pytest.mark.parametrize("size", [4, FAR])
def test_no_checkpoint_is_beyond_the_head(
    superuser: str, sealer: Sealer, room: SealTable, key_file: KeyFile, size: int
) -> None:
    """A note that is well made and signed is refused where there are not so many events."""
    record(superuser, 1, 3)
    sealer.seal()
    note = _note(room, key_file.read(), size)
    with as_role(superuser, "jobledger_sealer") as connection, pytest.raises(psycopg.DatabaseError) as refused:
        connection.execute("INSERT INTO ledger.checkpoints (size, note) VALUES (%s, %s)", (size, note))
    assert refused.value.sqlstate == "JL002"


def test_no_checkpoint_is_below_the_newest(superuser: str, sealer: Sealer, room: SealTable, key_file: KeyFile) -> None:
    """A tree never shrinks."""
    record(superuser, 1, 3)
    sealer.seal()
    note = _note(room, key_file.read(), 2)
    with as_role(superuser, "jobledger_sealer") as connection, pytest.raises(psycopg.DatabaseError) as refused:
        connection.execute("INSERT INTO ledger.checkpoints (size, note) VALUES (2, %s)", (note,))
    assert refused.value.sqlstate == "JL002"


@pytest.mark.parametrize("change", ["x", "origin", "size", "signature", "stranger", "control", "padding", "long"])
def test_a_note_is_well_made(superuser: str, sealer: Sealer, room: SealTable, key_file: KeyFile, change: str) -> None:
    """A note is three lines of this ledger, the size that of its row, and a signature under a key on record."""
    record(superuser, 1, 3)
    sealer.seal()
    key = key_file.read()
    good = _note(room, key, 3)
    changes: dict[str, Callable[[], str]] = {
        "x": lambda: "x",
        "origin": lambda: _note(room, key, 3, "jobledger/another"),
        "size": lambda: _note(room, key, 2),
        "signature": lambda: good.rpartition("\n\n")[0] + "\n\n",
        "stranger": lambda: _note(room, SigningKey.create(key.name), 3),
        "control": lambda: good.replace("\n\n", "\n\x1b\n\n", 1),
        "padding": lambda: good.rstrip("\n=") + "\n",
        "long": lambda: good.replace("\n\n", "\n" + "x" * 65_536 + "\n\n", 1),
    }
    bad = changes[change]()
    statement = "INSERT INTO ledger.checkpoints (size, note) VALUES (3, %s)"
    with as_role(superuser, "jobledger_sealer") as connection:
        connection.execute(statement, (good,))
        with pytest.raises(psycopg.DatabaseError) as refused:
            connection.execute(statement, (bad,))
    assert refused.value.sqlstate == "JL002"


@pytest.mark.parametrize("change", ["x", "name", "id", "kind", "rotation", "rotation of another", "from a stranger"])
def test_a_key_is_well_made(superuser: str, sealer: Sealer, room: SealTable, key_file: KeyFile, change: str) -> None:
    """A key is of this ledger and bears its own id, and a rotation leads to it from a key on record."""
    record(superuser, 1, 3)
    at = sealer.seal().signed.checkpoint
    old, new, other = key_file.read(), *(SigningKey.create(at.origin) for _ in range(2))
    verifier = str(new.verifier)
    bad = {
        "x": ("x", None),
        "name": (str(SigningKey.create("jobledger/another").verifier), None),
        "id": (verifier.replace("+" + new.verifier.id.hex(), "+00000000"), None),
        "kind": (verifier[:-44] + "B" + verifier[-43:], None),
        "rotation": (verifier, "x"),
        "rotation of another": (verifier, str(sign_rotation(at, old, other))),
        "from a stranger": (verifier, str(sign_rotation(at, other, new))),
    }[change]
    statement = "INSERT INTO ledger.seal_keys (verifier_key, rotation) VALUES (%s, %s)"
    with as_role(superuser, "jobledger_sealer") as connection:
        with pytest.raises(psycopg.DatabaseError) as refused:
            connection.execute(statement, bad)
        connection.execute(statement, (verifier, str(sign_rotation(at, old, new))))
    assert refused.value.sqlstate == "JL002"


def test_a_writer_who_seals_is_told_what_is_missing(conninfo: str, tmp_path: Path) -> None:
    """One sentence names the role; nothing is written."""
    record(conninfo, 1, 3)
    writer = SealTable(lambda: connect(make_conninfo(conninfo, options=WRITER)))

    with pytest.raises(AccessDenied, match="Who seals must be granted jobledger_sealer"):
        Sealer(writer, KeyFile(tmp_path / "seal.key")).seal()


def test_a_restore_keeps_what_it_restores(
    superuser: str, conninfo: str, sealer: Sealer, room: SealTable, empty_database: str
) -> None:
    """The tables come back in any order, as they were: their owner is not bound by what is checked."""
    record(conninfo, 1, 300)
    sealer.seal()
    tools = binaries()
    dump = subprocess.run((tools / "pg_dump", "-Fc", superuser), capture_output=True, check=True).stdout
    schema = ("--section=pre-data", "--section=post-data")
    for part in (schema, ("--data-only", "--disable-triggers"), ()):
        if part:
            # Without `check`, since the tool may know settings that an older server does not; what counts is compared.
            subprocess.run((tools / "pg_restore", "-d", empty_database, *part), input=dump, check=False)

    with room.reading() as before, SealTable(lambda: connect(empty_database)).reading() as after:
        assert before.checkpoints() == after.checkpoints()
        assert before.tiles(0, 0, 9) == after.tiles(0, 0, 9)
        assert before.public_keys() == after.public_keys()


def test_what_could_be_no_checkpoint_is_set_aside(empty_database: str, tmp_path: Path) -> None:
    """A ledger in which somebody ended sealing before this release seals again once it is migrated."""
    older_release().migrate(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("INSERT INTO ledger.checkpoints (size, note) VALUES (%s, 'x')", (FAR,))
        connection.execute("INSERT INTO ledger.seal_keys (verifier_key) VALUES ('x')")
        migrator().migrate(empty_database)
        aside = connection.execute("SELECT what, size, text FROM ledger.set_aside ORDER BY what").fetchall()
    assert aside == [("checkpoint", FAR, "x"), ("key", None, "x")]

    record(empty_database, 1, 3)
    room = SealTable(lambda: connect(empty_database))
    assert Sealer(room, KeyFile(tmp_path / "seal.key")).seal().signed.size == 3


def test_a_strangers_key_ends_no_sealing(superuser: str, sealer: Sealer, room: SealTable) -> None:
    """A key that stands on record and was never signed for replaces none."""
    record(superuser, 1, 3)
    name = sealer.seal().signed.checkpoint.origin
    with psycopg.connect(superuser, autocommit=True) as connection:
        stranger = str(SigningKey.create(name).verifier)
        connection.execute("INSERT INTO ledger.seal_keys (verifier_key) VALUES (%s)", (stranger,))
    record(superuser, 4, 6)
    assert sealer.seal().signed.size == 6
    assert sealer.rotate().new_key
    record(superuser, 7, 9)
    assert sealer.seal().signed.size == 9


@pytest.mark.parametrize("size", [4, FAR])
def test_a_checkpoint_that_nobody_signed_ends_no_sealing(
    superuser: str, sealer: Sealer, room: SealTable, key_file: KeyFile, size: int
) -> None:
    """It is passed over, for the newest that a key on record has signed; verify names it, an export goes on."""
    record(superuser, 1, 5)
    sealer.seal()
    good = _note(room, key_file.read(), size)
    text, _, signature = good.rpartition("\n\n")
    forged = f"{text.replace('AAAA', 'BAAA', 1)}\n\n{signature}"
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("INSERT INTO ledger.checkpoints (size, note) VALUES (%s, %s)", (size, forged))
    record(superuser, 6, 9)

    assert sealer.seal().signed.size == 9
    key = key_file.verifier()
    assert key is not None
    report = Verifier(room, Trust((key,), "the key of the test"), key_file.kept()).verify()
    assert [str(found.kind) for found in report.findings] == ["checkpoint"]
    with room.reading() as seals:
        assert len([*Export(seals, transcribe).lines()]) == 11
