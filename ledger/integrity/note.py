"""Signed notes: a text with the signatures of named Ed25519 keys below it, as https://c2sp.org/signed-note has them."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from ledger.errors import MalformedKey, MalformedNote

ED25519 = b"\x01"
NOTE_BYTES_MAX = 64 * 1024
SIGNATURES_MAX = 64
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_PRIVATE = "PRIVATE+KEY"


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64 (RFC 4648, section 4); raises `ValueError`."""
    return base64.b64decode(text, validate=True)


def encode_base64(data: bytes) -> str:
    """Bytes as standard base64."""
    return base64.b64encode(data).decode()


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key, and the name that it signs under; as text `name+id+base64`."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes that stand for the key in a signature."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode_base64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that a text of one line stands for; raises `MalformedKey`."""
        name, key_id, encoded = _three(text.strip(), "verifier key")
        key = cls(name, _key_bytes(encoded, "verifier key"))
        if key.id.hex() != key_id.lower():
            raise MalformedKey(f"A verifier key must bear its own id, {key.id.hex()}, and this bears {key_id[:40]!r}.")
        return key

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Whether the signature over this text is the key's."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - slow to import, seldom needed
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Both halves of a key; as text it is what Go's note package reads, `PRIVATE+KEY+name+id+base64`."""

    name: str
    secret: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @classmethod
    def create(cls, name: str) -> Self:
        """A new key under a name."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        return cls(_check_name(name), Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that a text of one line stands for; raises `MalformedKey`, which never quotes it."""
        prefix = _PRIVATE + "+"
        if not text.startswith(prefix):
            raise MalformedKey(f"A signing key must begin with {prefix}, and this does not.")
        name, key_id, encoded = _three(text.strip().removeprefix(prefix), "signing key")
        key = cls(name, _key_bytes(encoded, "signing key"))
        if key.verifier.id.hex() != key_id.lower():
            raise MalformedKey("A signing key must bear its own id, and this bears another.")
        return key

    def secret_text(self) -> str:
        """The key as its file has it."""
        return f"{_PRIVATE}+{self.name}+{self.verifier.id.hex()}+{encode_base64(ED25519 + self.secret)}\n"

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """The signature over a text."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        return Ed25519PrivateKey.from_private_bytes(self.secret).sign(text.encode())


@dataclass(frozen=True, slots=True)
class Signature:
    """A line below a note: whose it claims to be, and the signature."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends in a newline, and the signatures below it; nothing in it is true until one is checked."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        lines = (f"— {line.name} {encode_base64(line.key_id + line.signature)}\n" for line in self.signatures)
        return f"{self.text}\n{''.join(lines)}"

    @classmethod
    def parse(cls, note: str) -> Self:
        """The note of a text; raises `MalformedNote`."""
        if len(note) > NOTE_BYTES_MAX:
            raise MalformedNote(f"A note must have {NOTE_BYTES_MAX:,} characters at most, and this has {len(note):,}.")
        if any(char < " " and char != "\n" for char in note):
            raise MalformedNote("A note must hold no control character but newlines, and this holds one.")
        text, blank, below = note.rpartition("\n\n")
        if not blank or not below.endswith("\n") or not text:
            raise MalformedNote("A note must be a text, an empty line, and signatures, each line ended; this is not.")
        lines = below[:-1].split("\n")
        if len(lines) > SIGNATURES_MAX:
            raise MalformedNote(f"A note must have {SIGNATURES_MAX} signatures at most, and this has {len(lines)}.")
        return cls(text + "\n", tuple(map(_parse_signature, lines)))

    def signers(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """The keys, of those given, that signed the note.

        Raises `MalformedNote` where a signature claims to be one of theirs and is not: such a note was tampered with.
        """
        known = {(key.name, key.id): key for key in keys}
        names = []
        for line in self.signatures:
            key = known.get((line.name, line.key_id))
            if key is None:
                continue
            if not key.has_signed(self.text, line.signature):
                raise MalformedNote(f"The signature of {key.name}+{key.id.hex()} must be over this text, and is not.")
            names.append(key)
        return names


def sign_note(text: str, keys: Sequence[SigningKey]) -> Note:
    """The text, signed with every key."""
    signed = ((key.verifier, key.sign(text)) for key in keys)
    return Note(text, tuple(Signature(public.name, public.id, signature) for public, signature in signed))


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    try:
        dash, name, encoded = parts
        data = decode_base64(encoded)
    except (ValueError, binascii.Error):
        raise MalformedNote("A line below a note must be a dash, a name and base64, and one is not.") from None
    # Signatures of other kinds have other lengths; they are of keys that are unknown here, and may stand.
    if dash != "—" or not name or len(data) <= _KEY_ID_BYTES:
        raise MalformedNote("A line below a note must be a dash, a name and a signature, and one is not.")
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def _three(text: str, what: str) -> tuple[str, str, str]:
    parts = text.split("+", 2)
    if len(parts) != 3 or any(char.isspace() for char in text):  # noqa: PLR2004 - name, id, key
        raise MalformedKey(f"A {what} must be a name, an id and base64 with + between them, and this is not.")
    return _check_name(parts[0]), parts[1], parts[2]


def _key_bytes(encoded: str, what: str) -> bytes:
    try:
        data = decode_base64(encoded)
    except (ValueError, binascii.Error):
        raise MalformedKey(f"A {what} must end in base64, and this does not.") from None
    if len(data) != 1 + _KEY_BYTES or data[:1] != ED25519:
        raise MalformedKey(f"A {what} must be of Ed25519, and this is of another kind.")
    return data[1:]


def _check_name(name: str) -> str:
    if not name or "+" in name or not name.isprintable() or any(char.isspace() for char in name):
        raise MalformedKey(f"The name of a key must have no space and no +, and {name[:60]!r} has, or is empty.")
    return name
