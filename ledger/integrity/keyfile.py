"""The signing key in a file of its own, its public half beside it, and the newest checkpoint that it signed.

    seal.key               the signing key, readable by its owner alone
    seal.key.next          the key that comes in its place, while a rotation is under way
    seal.key.pub           the verifier key, a line, for whoever verifies
    seal.key.checkpoint    the newest checkpoint: outside the database, so that a restored backup is found out

A rotation overwrites the old key: nobody needs it to check what it signed, and nobody can sign with it any more.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from ledger.errors import KeyUnusable, MalformedKey
from ledger.integrity.checkpoint import SignedCheckpoint
from ledger.integrity.note import SigningKey, VerifierKey

FILE_BYTES_MAX = 64 * 1024


class KeyFile:
    """A place for a key; nothing is there until `create`. Raises `KeyUnusable` for a folder."""

    def __init__(self, path: Path) -> None:
        if not path.name or path.is_dir():
            raise KeyUnusable(f"A signing key must be in a file of its own, and {path} is a folder; name a file in it.")
        self.path = path
        self._next = _beside(path, ".next")
        self._public = _beside(path, ".pub")
        self._kept = _beside(path, ".checkpoint")

    def exists(self) -> bool:
        """Whether there is a key."""
        return self.path.exists()

    def read(self) -> SigningKey:
        """The key; raises `KeyUnusable` where there is none, or where others may read it."""
        try:
            mode = self.path.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyUnusable(f"A signing key must be closed to others, and {self.path} is not; chmod 600 it.")
            return SigningKey.parse(_read(self.path))
        except FileNotFoundError:
            raise KeyUnusable(f"There must be a signing key in {self.path}, and there is none.") from None
        except MalformedKey as error:
            raise KeyUnusable(f"The file {self.path} must hold a signing key: {error}") from None

    def create(self, name: str) -> SigningKey:
        """A new key, on disk before it is used; two that create at once get the same."""
        key = SigningKey.create(name)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = _beside(self.path, f".{token_hex(8)}.new")
        _write(draft, key.secret_text())
        try:
            os.link(draft, self.path)
        except FileExistsError:
            key = self.read()
        finally:
            draft.unlink()
        self.publish(key.verifier)
        return key

    def publish(self, key: VerifierKey) -> None:
        """Put the verifier key beside the signing key."""
        _replace(self._public, f"{key}\n", 0o644)

    def prepare_next(self, name: str) -> SigningKey:
        """The key that is to come in the place of this one; the same again where a rotation was cut off."""
        with suppress(FileNotFoundError):
            return SigningKey.parse(_read(self._next))
        key = SigningKey.create(name)
        _replace(self._next, key.secret_text(), 0o600)
        return key

    def next(self) -> SigningKey | None:
        """The key of a rotation that is under way, or was cut off."""
        try:
            return SigningKey.parse(_read(self._next))
        except (FileNotFoundError, MalformedKey):
            return None

    def take_next(self) -> SigningKey:
        """Put the key that was prepared in the place of this one."""
        self._next.replace(self.path)
        _sync(self.path.parent)
        key = self.read()
        self.publish(key.verifier)
        return key

    def verifier(self) -> VerifierKey | None:
        """The verifier key beside the signing key, None where there is none; raises `KeyUnusable`."""
        try:
            return VerifierKey.parse(_read(self._public))
        except FileNotFoundError:
            return self.read().verifier if self.exists() else None
        except MalformedKey as error:
            raise KeyUnusable(f"The file {self._public} must hold a verifier key: {error}") from None

    def keep(self, signed: SignedCheckpoint) -> None:
        """Remember a checkpoint outside the database."""
        _replace(self._kept, str(signed.note), 0o644)

    def kept(self) -> SignedCheckpoint | None:
        """The checkpoint that was remembered; raises `MalformedNote`."""
        try:
            return SignedCheckpoint.parse(_read(self._kept))
        except FileNotFoundError:
            return None


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX).decode(errors="replace")


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, text: str, mode: int) -> None:
    """Write a file so that it is there whole or as it was before."""
    draft = _beside(path, f".{token_hex(8)}.new")
    _write(draft, text, mode)
    draft.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
