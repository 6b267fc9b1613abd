"""A primary and a synchronous standby, of the embedded server's programs, and ways to cut a wait for the standby."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import psycopg
from psycopg.rows import dict_row

from ledger.errors import LedgerError
from ledger.service.embedded import EmbeddedServer
from ledger.service.embedded.account import choose_account
from ledger.service.embedded.binaries import binaries, major_release
from ledger.service.embedded.folder import prepare
from ledger.service.readiness import migrator

SECONDS_MAX = 60.0
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
SYNCHRONOUS = "SELECT 1 FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming'"
RECEIVER = "SELECT pid FROM pg_stat_wal_receiver"
T = TypeVar("T")


def poll(look: Callable[[], T]) -> T:
    """What a look sees, once it sees something."""
    end = time.monotonic() + SECONDS_MAX
    while not (seen := look()):
        assert time.monotonic() < end, "It did not come."
        time.sleep(0.01)
    return seen


class Saying(Generic[T]):
    """A caller in a thread of its own, and what it was answered."""

    def __init__(self, say: Callable[[], T]) -> None:
        self._say = say
        self._answer: T | None = None
        self.error: LedgerError | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer = self._say()
        except LedgerError as error:
            self.error = error

    @property
    def answered(self) -> bool:
        """Whether there is an answer, or an error."""
        return not self._thread.is_alive()

    def answer(self) -> T:
        """The answer, once it comes; raises the error that came in its place."""
        self._thread.join(SECONDS_MAX)
        assert self.answered
        if self.error is not None:
            raise self.error
        assert self._answer is not None
        return self._answer


class Pair:
    """A primary with a migrated database, and its standby, for which it waits while `names` is set."""

    def __init__(self, folder: Path) -> None:
        self.primary = EmbeddedServer(folder / "primary")
        self.standby = EmbeddedServer(folder / "standby")
        self._account = choose_account(folder, binaries() / "postgres")
        self._data = folder / "standby" / f"pg{major_release(binaries())}"
        self.conninfo = self.primary.conninfo()
        self._deaf: int | None = None

    def start(self, names: str = "*") -> None:
        """Start both, and wait until the standby is one that is waited for."""
        self.primary.start()
        migrator().migrate(self.conninfo)
        prepare(self._data.parent)
        copy = ("--pgdata", str(self._data), "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        done = self._account.run(binaries() / "pg_basebackup", *copy, "--dbname", self.primary.conninfo("postgres"))
        assert done.returncode == 0, done.stdout
        self.standby.start()
        self.name(names)
        if names:
            poll(lambda: self.ask(SYNCHRONOUS))

    def stop(self) -> None:
        """Stop both."""
        self.hear()
        self.standby.stop()
        self.primary.stop()

    def name(self, names: str) -> None:
        """Set which standbys the primary waits for."""
        with psycopg.connect(self.conninfo, autocommit=True) as admin:
            admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
            admin.execute("SELECT pg_reload_conf()")
            poll(lambda: admin.execute("SHOW synchronous_standby_names").fetchall() == [(names,)])

    def ask(self, question: str, *parameters: Any, standby: bool = False) -> list[dict[str, Any]]:
        """Ask the primary, or the standby, over a connection of its own; what is told and not asked has no rows."""
        conninfo = self.standby.conninfo() if standby else self.conninfo
        with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as admin:
            answer = admin.execute(question, parameters)
            return answer.fetchall() if answer.description else []

    def waiting(self, besides: int | None = None) -> int:
        """The process of a session that waits for the standby, once there is one, another than that one."""
        return poll(lambda: next((row["pid"] for row in self.ask(WAITING) if row["pid"] != besides), None)) or 0

    def nobody_waits(self) -> bool:
        """Whether no session waits for the standby."""
        return not self.ask(WAITING)

    def cancel(self, pid: int) -> None:
        """Cancel what a session waits for."""
        self._cut("SELECT pg_cancel_backend(%s)", pid)

    def terminate(self, pid: int) -> None:
        """End a session that waits."""
        self._cut("SELECT pg_terminate_backend(%s)", pid)

    def _cut(self, how: str, pid: int) -> None:
        self.ask(how, pid)
        poll(lambda: pid not in [row["pid"] for row in self.ask(WAITING)])

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """While the standby's receiver stands still."""
        self.stop_receiver()
        try:
            yield
        finally:
            self.hear()

    def stop_receiver(self) -> None:
        """Let the standby's receiver stand still."""
        self._deaf = poll(lambda: self.ask(RECEIVER, standby=True))[0]["pid"]
        os.kill(self._deaf, signal.SIGSTOP)

    def hear(self) -> None:
        """Let the standby's receiver go on."""
        if self._deaf is not None:
            with suppress(ProcessLookupError):
                os.kill(self._deaf, signal.SIGCONT)
            self._deaf = None

    def fail_over(self) -> str:
        """Lose the primary, and what it has not told the standby; the conninfo of the standby, which is promoted."""
        pid = self.primary.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        poll(lambda: not Path(f"/proc/{pid}").exists())
        if self._deaf is not None:  # it ends before it reads what was sent
            os.kill(self._deaf, signal.SIGTERM)
        self.hear()
        assert self.ask("SELECT pg_promote() AS done", standby=True) == [{"done": True}]
        return self.standby.conninfo()


@contextmanager
def running(folder: Path, names: str = "*") -> Iterator[Pair]:
    """A pair that runs."""
    pair = Pair(folder)
    try:
        pair.start(names)
        yield pair
    finally:
        pair.stop()
