"""The data folder: where it is, who may use it, and where its server listens."""

import hashlib
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ledger.errors import EmbeddedUnusable

PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES_MAX = 90  # the kernels take 104 to 108
ELSEWHERE = "set JOBLEDGER_DATA to a folder of your own or JOBLEDGER_DSN to a server"


def default_folder() -> Path:
    """Name the data folder: JOBLEDGER_DATA, else `jobledger` in the user's data directory."""
    named = os.environ.get("JOBLEDGER_DATA")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path  # noqa: PLC0415 - few commands need it

    return user_data_path("jobledger")


def prepare(folder: Path) -> None:
    """Make the folder (0700) where there is none, and refuse one that is not ours alone to write."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_strange(folder)


def refuse_strange(folder: Path) -> None:
    """Raise EmbeddedUnusable unless this is a folder that belongs to us and that we can write."""
    status = folder.stat()
    if not stat.S_ISDIR(status.st_mode):
        reason = "be a folder, and is a file"
    elif status.st_uid != os.geteuid():
        reason = f"belong to user {os.geteuid()}, who runs this, and belongs to user {status.st_uid}"
    elif status.st_mode & stat.S_IWOTH:
        reason = "be closed to other users, and everybody may write to it"
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        reason = "be writable, and is not"
    else:
        return
    raise EmbeddedUnusable(f"The data folder {folder} must {reason}; {ELSEWHERE}.", folder=str(folder))


def socket_folder(folder: Path) -> Path:
    """Name where the server of this folder listens: inside, or in the temporary directory where that is too long."""
    inside = folder / "socket"
    if _fits(inside):
        return inside
    return _recorded(folder) or _temporary(folder)


def prepare_socket_folder(folder: Path) -> Path:
    """Make the socket folder (0700), here and now; only for who knows that no server of this folder lives."""
    inside = folder / "socket"
    chosen = inside if _fits(inside) else _temporary(folder)
    if not _fits(chosen):
        raise EmbeddedUnusable(
            f"The path of a socket must be short and plain, and {chosen} is not; set TMPDIR to a shorter one.",
            folder=str(folder),
        )
    _make_private(chosen, folder)
    if chosen != inside:
        _record(folder, chosen)
    return chosen


def leave_socket_folder(folder: Path) -> None:
    """Leave nothing in the temporary directory; only for who has seen the server of this folder end."""
    recorded = _recorded(folder)
    if recorded is not None:
        with suppress(OSError):  # whatever else is in it is not ours
            recorded.rmdir()
        (folder / "socket.path").unlink(missing_ok=True)


def _fits(chosen: Path) -> bool:
    path = str(chosen / SOCKET_NAME)
    plain = re.search(r"""[\x00-\x1f\x7f,'"\\\ud800-\udfff]""", path) is None  # a comma would begin a second host
    return plain and len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX


def _name(folder: Path) -> str:
    """Make a name that a copy of the folder does not share, so that it cannot take the original's socket."""
    return "jobledger-" + hashlib.sha256(os.fsencode(folder)).hexdigest()[:20]


def _temporary(folder: Path) -> Path:
    return Path(tempfile.gettempdir()).absolute() / _name(folder)


def _recorded(folder: Path) -> Path | None:
    try:
        path = Path((folder / "socket.path").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return path if path.name == _name(folder) else None


def _record(folder: Path, chosen: Path) -> None:
    draft = folder / "socket.path.new"
    draft.write_text(str(chosen), encoding="utf-8")
    draft.replace(folder / "socket.path")


def _make_private(chosen: Path, folder: Path) -> None:
    chosen.mkdir(mode=0o700, exist_ok=True)
    status = chosen.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise EmbeddedUnusable(
            f"The socket folder {chosen} must belong to user {os.geteuid()}, and belongs to somebody else; "
            "remove it or set TMPDIR to another directory.",
            folder=str(folder),
        )
    chosen.chmod(0o700)
