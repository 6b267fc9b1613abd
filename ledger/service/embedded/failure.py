"""How the trouble of a folder, a program or a disk becomes one sentence."""

import errno
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import DiskFull, EmbeddedUnusable, Unavailable
from ledger.service.embedded.folder import ELSEWHERE

FULL = re.compile(r"No space left on device|Disk quota exceeded")
NO_DISK = re.compile(r"shared memory|semaphore")  # limits of the kernel that borrow the same words
SERIOUS = re.compile(r"\b(FATAL|PANIC|ERROR|error):")
STAMP = re.compile(r"^\d{4}-.*?\[\d+\] ")


def failure(folder: Path, attempt: str, output: str) -> Unavailable:
    """Make the error for an attempt that failed, from what the program said."""
    if any(FULL.search(line) and not NO_DISK.search(line) for line in output.splitlines()):
        return disk_full(folder)
    return EmbeddedUnusable(
        f"The embedded database in {folder} could not be {attempt}: {telling_line(output)!r}; "
        f"mend that and start again, or {ELSEWHERE}.",
        folder=str(folder),
    )


def disk_full(folder: Path) -> DiskFull:
    """Make the error for a disk without room."""
    return DiskFull(
        f"The disk of {folder} must have room, and is full; nothing recorded is lost: free some, then start again.",
        folder=str(folder),
    )


def telling_line(output: str) -> str:
    """Choose the line that tells most: the last serious one, or what it refers to; else the last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    serious = [line for line in lines if SERIOUS.search(line)] or lines or ["it said nothing"]
    chosen = serious[-1]
    if "contains errors" in chosen:  # which ones stands before
        chosen = next((line for line in lines if "LOG:" in line), chosen)
    return STAMP.sub("", chosen)


@contextmanager
def one_sentence(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into EmbeddedUnusable, or DiskFull."""
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise EmbeddedUnusable(
            f"Each step of a start must end within {error.timeout:.0f} s, and one in {folder} did not; "
            "start again when the machine is less busy.",
            folder=str(folder),
        ) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(folder) from error
        what = error.strerror or str(error)
        where = error.filename or folder
        raise EmbeddedUnusable(
            f"The data folder {folder} must be usable, and {where} gave {what!r}; {ELSEWHERE}.",
            folder=str(folder),
        ) from error
