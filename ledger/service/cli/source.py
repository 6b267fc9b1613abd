"""A file of lines that somebody hands in: plain or gzip, on disk or on stdin, read as far as it can be."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from ledger.errors import FileDamaged

STDIN = "-"
_GZIP = b"\x1f\x8b"


class Source:
    """The lines of a file; where that ends early or cannot be read on, they end, and `damage` says so."""

    def __init__(self, name: str, raw: IO[bytes], unpacked: IO[bytes] | None, size: int | None) -> None:
        self.name = "stdin" if name == STDIN else name
        self.size_bytes = size
        self.whole_lines = 0
        self.damage: FileDamaged | None = None
        self._raw = raw
        self._stream = unpacked or raw

    def lines(self) -> Iterator[bytes]:
        """The lines up to the damage, if there is any."""
        import zlib
        from gzip import BadGzipFile

        try:
            for line in _lines(self._stream):
                self.whole_lines += 1
                yield line
        except EOFError:
            self._break("must be whole gzip, and ends early")
        except (BadGzipFile, zlib.error) as error:
            self._break(f"must be whole gzip, and is damaged ({str(error).rstrip('.')})")
        except OSError as error:
            self._break(f"must be read to its end, and cannot be read on ({error.strerror or error})")

    def whole(self) -> Iterator[bytes]:
        """The same; raises `FileDamaged` behind the last of them where there is more."""
        yield from self.lines()
        if self.damage is not None:
            raise self.damage

    def read_bytes(self) -> int | None:
        """How much of the file was read, where its size is known."""
        return self._raw.tell() if self.size_bytes is not None else None

    def _break(self, what: str) -> None:
        sentence = f"The file {self.name} {what} after line {self.whole_lines:,}."
        self.damage = FileDamaged(sentence, file=self.name, line=self.whole_lines)


def open_source(name: str, stack: ExitStack) -> Source:
    """A file, or stdin for `-`, unpacked where it is gzip; raises `OSError`."""
    if name == STDIN:
        raw, size = sys.stdin.buffer, None
    else:
        raw = stack.enter_context(Path(name).open("rb"))  # noqa: SIM115 - the stack closes it
        status = os.fstat(raw.fileno())
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
    raw, head = _look(raw)
    unpacked: Any = None
    if head in (_GZIP, _GZIP[:1]):  # however little of it there is
        import gzip

        unpacked = stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb"))
    elif not head and name.endswith(".gz"):
        unpacked = _Missing()
    return Source(name, raw, unpacked, size)


class _Missing(io.BytesIO):
    """What is left of gzip of which nothing is there: even packed, nothing has a length."""

    def readline(self, _size: int | None = -1, /) -> bytes:
        raise EOFError


def _look(raw: Any) -> tuple[IO[bytes], bytes]:
    """The first two bytes, and the stream that still begins with them: a pipe may give one at first."""
    head = raw.peek(len(_GZIP))[: len(_GZIP)]
    if len(head) != 1:
        return raw, head
    head = raw.read(len(_GZIP))
    return io.BufferedReader(_Again(head, raw)), head


class _Again(io.RawIOBase):
    """A stream whose first bytes were taken, and come again."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head or self._rest.read1(len(buffer))  # type: ignore[attr-defined] # of every buffered reader
        self._head = data[len(buffer) :] if self._head else b""
        taken = data[: len(buffer)]
        buffer[: len(taken)] = taken
        return len(taken)

    def tell(self) -> int:
        return self._rest.tell()


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines, one of them never longer than a limit: what is beyond it is passed over with its line."""
    from ledger.domain.values import LINE_BYTES_MAX

    while line := stream.readline(LINE_BYTES_MAX + 1):
        yield line
        while len(line) > LINE_BYTES_MAX and not line.endswith(b"\n"):
            line = stream.readline(LINE_BYTES_MAX + 1)
