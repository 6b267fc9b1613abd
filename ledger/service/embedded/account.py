"""The account that the server runs under: our own, or for root one that PostgreSQL accepts.

PostgreSQL refuses to run as root. A user namespace in which root has another number satisfies it, and all files stay
root's. Where such namespaces are closed, as in most containers, the server runs as `nobody` with the one privilege to
reach a folder that is root's; then the data, and nothing else, is given to `nobody`.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import EmbeddedUnusable

TIMEOUT_SECONDS = 60.0
PROBE = 'cd "$1" && exec "$2" --version'


@dataclass(frozen=True)
class Account:
    """Who runs the server: `prefix` stands before its commands; `uid` and `gid` own its files."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def run(
        self,
        *command: str | Path,
        text: str = "",
        output: int = subprocess.PIPE,
        heirs: tuple[int, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in a session of its own, with no variable of ours but PATH.

        `text` is its input, `output` takes both its streams, `heirs` are descriptors that it inherits.
        """
        return subprocess.run(  # noqa: S603 - the programs are our own
            [*self.prefix, *command],
            input=text,
            stdout=output,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=_environment(),
            pass_fds=heirs,
            start_new_session=True,  # Ctrl-C in the terminal is not meant for it
            umask=0o077,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def take(self, tree: Path) -> None:
        """Own a tree of files; its top comes last, so that a take cut short is seen and repeated."""
        status = tree.stat()
        if (status.st_uid, status.st_gid) == (self.uid, self.gid):
            return
        for place, folders, files in os.walk(tree):
            for name in (*folders, *files):
                os.chown(Path(place) / name, self.uid, self.gid, follow_symlinks=False)
        os.chown(tree, self.uid, self.gid)


def choose_account(folder: Path, postgres: Path) -> Account:
    """Choose the account for a server whose data is in this folder; EmbeddedUnusable when root finds none."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for account in _accounts_of_root():
        if _reaches(account, folder, postgres):
            return account
    raise EmbeddedUnusable(
        f"PostgreSQL must not run as root, and neither a user namespace (unshare) nor setpriv gives it here an account "
        f"that reaches {folder}; run as an ordinary user, or set JOBLEDGER_DSN to a server.",
        folder=str(folder),
    )


def _accounts_of_root() -> list[Account]:
    nobody = _nobody()
    if nobody is None:
        return []
    uid, gid = nobody
    namespace = ("unshare", "-U", f"--map-user={uid}", f"--map-group={gid}")
    user = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    privilege = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    return [Account(0, 0, namespace), Account(uid, gid, (*user, *privilege))]


def _nobody() -> tuple[int, int] | None:
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return None
    return nobody.pw_uid, nobody.pw_gid


def _reaches(account: Account, folder: Path, postgres: Path) -> bool:
    try:
        return account.run("sh", "-c", PROBE, "sh", folder, postgres).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}
