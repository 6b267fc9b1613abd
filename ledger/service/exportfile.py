"""An export on disk: one file, or a folder with that file and, for other tools, the checkpoint and the keys in it."""

import gzip
import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ledger.integrity.export import Export

EVENTS, CHECKPOINT = "events.jsonl", "checkpoint"


def write_export(to: Path, export: "Export") -> Path:
    """Write an export, whole or not at all; what was written is returned.

    A folder, or a name without an ending, becomes a folder with `events.jsonl` and `checkpoint`.
    """
    folder = to if to.is_dir() or not to.suffix else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / EVENTS if folder is not None else to
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        _write(draft, export, packed=path.suffix == ".gz")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    if folder is not None and export.exported.checkpoint is not None:
        (folder / CHECKPOINT).write_text(str(export.exported.checkpoint.note), encoding="utf-8")
    return folder or path


def _write(path: Path, export: "Export", *, packed: bool) -> None:
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("xb"))
        if packed:
            file = cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=file, mode="wb", mtime=0)))
        for line in export.lines():
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def find_export(path: Path) -> Path:
    """The file of an export that was named by its file or its folder."""
    return path / EVENTS if path.is_dir() else path
