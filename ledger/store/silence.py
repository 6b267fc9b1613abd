"""Why a server says nothing: asked over another connection, so that nobody waits for what cannot come.

An answer may take as long as the server works on it, or waits for the disk, a lock or a standby. But where the server
waits for us while we wait for it, what one of us said was lost on the way; where the process that should answer is
gone, or the server takes no connection at all, nothing will come either. And who waits for the append lock is told who
holds it, and so is who waits for any other lock.
"""

import logging
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg

from ledger import clock
from ledger.store import append_lock, patience
from ledger.store.append_lock import END_AFTER_SECONDS, TELL_AFTER_SECONDS, looking
from ledger.store.connection import state_of
from ledger.store.statements import SQL
from ledger.store.words import TOO_MANY

if TYPE_CHECKING:
    from ledger.store.connection import Bounded

LOOK_AFTER_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 1.0  # where the first look found what a moment may explain
REFUSALS_MAX = 2
UNSERVED_MAX = 12  # by a pooler, in more than a minute: it may have no session free, though the server works

logger = logging.getLogger("ledger")


class Silence:
    """One wait for an answer, from the first tenth of a second in which nothing came."""

    def __init__(self, connection: "Bounded") -> None:
        self._connection = connection
        self._began = clock.monotonic()
        self._next = LOOK_AFTER_SECONDS
        self._refusals = 0
        self._suspect: Any = None
        self._told = False

    def heed(self) -> None:
        """Look, where it is time to; raises `psycopg.OperationalError` where nothing can come or the time is over."""
        if not clock.seconds_left(1):
            self._give_up("no answer in the time that there was")
        seconds = clock.monotonic() - self._began
        patience.heed(seconds)
        if self._connection.conninfo is not None and seconds >= self._next:
            self._next = LOOK_AFTER_SECONDS * (seconds // LOOK_AFTER_SECONDS + 1)
            self._look(seconds)

    def _look(self, seconds: float) -> None:
        try:
            with looking(self._connection.conninfo or "") as other:
                row = self._own_wait(other, seconds)
                if row["waits_for_key"] == append_lock.KEY:
                    self._heed_append_lock(other, seconds)
                elif row["waits_for_lock"]:
                    self._heed_lock(other, seconds, row["waits_for_key"])
            self._refusals = 0
        except psycopg.Error as error:
            if self._connection.given_up:
                raise
            if not clock.seconds_left(1):
                self._give_up("no answer in the time that there was")
            self._refusals += _away(error)
            queued = self._connection.behind_pooler and getattr(error, "unserved", False)
            if self._refusals >= (UNSERVED_MAX if queued else REFUSALS_MAX):
                self._give_up(f"no answer for {seconds:.0f} s, and no other connection is taken")

    def _own_wait(self, other: "psycopg.Connection[Any]", seconds: float) -> Any:
        """What the server's process of the connection waits for; gives up where nothing can come."""
        started, pid = self._connection.server
        # What another process does is shown to the user that it connected as, whatever role this one has taken since.
        role = other.execute("SELECT current_user AS name").fetchall()[0]["name"]
        other.execute("SET ROLE NONE")
        row = other.execute(SQL["select_own_wait"], {"started": started, "pid": pid}).fetchall()[0]
        other.execute("SELECT set_config('role', %s, false)", (role,))
        here = not row["present"] or bool(row["waits_for_client"])
        lost = here if row["same_server"] else not row["standby"]
        seen = (row["same_server"], row["present"], row["changed_at"])
        if not lost:
            self._suspect = None
        elif self._suspect == seen:
            self._give_up(f"no answer for {seconds:.0f} s, and the server waits for none of ours")
        else:  # what it said may be on its way
            self._suspect, self._next = seen, seconds + LOOK_AGAIN_SECONDS
        return row

    def _heed_append_lock(self, other: "psycopg.Connection[Any]", seconds: float) -> None:
        if seconds >= END_AFTER_SECONDS:
            append_lock.end_frozen(other)
        elif seconds >= TELL_AFTER_SECONDS and not self._told:
            self._told = True
            append_lock.tell_waiting(other, seconds)

    def _heed_lock(self, other: "psycopg.Connection[Any]", seconds: float, key: int | None) -> None:
        rows = other.execute(SQL["select_blockers"], {"pid": self._connection.server[1]}).fetchall()
        if rows:
            self._connection.waited_for = holder = f"{rows[0]['waits_for']}, held by {append_lock.tell_who(rows[0])}"
            if seconds >= TELL_AFTER_SECONDS and not self._told:
                self._told = True
                logger.warning("A statement has waited for %.0f s for %s.", seconds, holder)
        if key is not None and seconds >= END_AFTER_SECONDS:
            became = other.execute(SQL["end_frozen"], {"key": key}).fetchall()[0]["became"]
            if became == "ended":
                logger.warning("%s: it is ended, since its client stands still.", self._connection.waited_for)

    def _give_up(self, why: str) -> NoReturn:
        self._connection.given_up = True
        raise psycopg.OperationalError(why)


def _away(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.OperationalError) and state_of(error) != TOO_MANY
