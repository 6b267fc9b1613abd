"""Wires what seals and verifies to a database, and finds the key: `JOBLEDGER_KEY`, else beside the embedded data."""

import os
from collections.abc import Sequence
from pathlib import Path

from ledger.errors import KeyUnusable
from ledger.integrity.checkpoint import SignedCheckpoint
from ledger.integrity.keyfile import FILE_BYTES_MAX, KeyFile
from ledger.integrity.note import VerifierKey
from ledger.integrity.trust import Trust
from ledger.service.settings import Database, find_database

KEY_NAME = "seal.key"


def key_path(option: Path | None, database: Database) -> Path | None:
    """Where the signing key is: the option, else JOBLEDGER_KEY, else in the folder of the embedded database."""
    named = os.environ.get("JOBLEDGER_KEY")
    if option is not None:
        return option.expanduser().absolute()
    if named:
        return Path(named).expanduser().absolute()
    return database.folder / KEY_NAME if database.folder is not None else None


def key_file(option: Path | None = None) -> KeyFile:
    """The file of the signing key; raises `KeyUnusable` where nothing says where it is."""
    path = key_path(option, find_database())
    if path is None:
        raise KeyUnusable(
            "The signing key of a database of your own must be named; set JOBLEDGER_KEY or --key to its file."
        )
    return KeyFile(path)


def find_trust(named: Sequence[str]) -> tuple[Trust, SignedCheckpoint | None]:
    """Whom to believe, and the checkpoint kept beside the key.

    The keys that are named (a verifier key, or a file with one a line), else the one beside the signing key, else none.
    """
    path = key_path(None, find_database())
    file = KeyFile(path) if path is not None else None
    kept = file.kept() if file else None
    if named:
        return named_trust(named), kept
    beside = file.verifier() if file else None
    if beside is not None and path is not None:
        return Trust((beside,), f"the key beside {path}"), kept
    return Trust(), kept


def named_trust(named: Sequence[str]) -> Trust:
    """Trust in the keys that are named; in none where none is."""
    if not named:
        return Trust()
    keys = [VerifierKey.parse(line) for text in named for line in _key_lines(text)]
    return Trust(tuple(keys), "the key that was given" if len(keys) == 1 else "the keys that were given")


def read_checkpoint_file(path: Path) -> SignedCheckpoint:
    """The checkpoint in a file; raises `MalformedNote`."""
    return SignedCheckpoint.parse(_read(path))


def _key_lines(text: str) -> list[str]:
    if "+" in text and not Path(text).exists():
        return [text]
    lines = [line for line in _read(Path(text)).splitlines() if line.strip()]
    if not lines:
        raise KeyUnusable(f"A file of verifier keys must have a key a line, and {text} is empty.")
    return lines


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX).decode(errors="replace")
