"""The append lock: who holds it, what those who wait for it are told, and what becomes of a holder that stands still.

An append is all or nothing, and found by its ids: so one whose client stands still can be ended, and loses nothing. One
that waits for a standby, for the disk or for a lock, or is at work, is never ended.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from ledger import clock, forks
from ledger.errors import AppendLockHeld, Unavailable
from ledger.store.bounds import bound_waits
from ledger.store.connection import connect, translate
from ledger.store.statements import SQL

# A process that stands still in an append is ended by the server itself after the first of these; what the server
# cannot take for standing still, in the midst of a message, by those who wait.
STILL_SECONDS_MAX = 8
SLOW_SECONDS_MAX = 16  # for one that was ended so, and lives: it may be slow
TELL_AFTER_SECONDS = 10
KEY = 7308604896899097444  # of the lock, as every release takes it
END_AFTER_SECONDS = 20
WAIT_SECONDS_MAX = 30
LOOK_SECONDS_MAX = 5

TAKE = SQL["take_append_lock"]

logger = logging.getLogger("ledger")


def take(session: Connection[Any], statement: str = "take_append_lock") -> None:
    """Take the append lock, until the transaction ends, and see to it that it is not held standing still.

    Raises `AppendLockHeld` where that takes half a minute.
    """
    bound_append(session, local=True)
    try:
        session.execute(SQL[statement])
    except psycopg.errors.LockNotAvailable as error:
        raise held(getattr(session, "conninfo", None) or "", error) from error


def bound_append(session: Connection[Any], *, local: bool, still_seconds: int = STILL_SECONDS_MAX) -> None:
    """Let no lock be waited for longer, and none be held standing still; in this transaction, or this session."""
    bound_waits(session, local=local, lock_seconds=WAIT_SECONDS_MAX, still_seconds=still_seconds)


def held(conninfo: str, error: psycopg.Error) -> Exception:
    """What a wait for a lock that was too long is told as: who holds the append lock, unless nobody does."""
    facts = find_holder(conninfo)
    if facts is None:
        return translate(error)
    return AppendLockHeld(
        f"An append waits {WAIT_SECONDS_MAX} s at most for another, and {tell(facts)}; end that "
        f"{'process' if facts['pid'] else 'transaction'}, or try again.",
        **facts,
    )


def find_holder(conninfo: str) -> Mapping[str, Any] | None:
    """Who holds the append lock, asked over a connection of its own; None where nobody does, or nobody can say.

    `holder` is what its connection is called, `role`, `pid` of its process in the database, `since` when its
    transaction is open, and `waits_for` what that waits for; each None where the database does not show it.
    """
    try:
        with looking(conninfo) as connection:
            return ask_holder(connection)
    except (psycopg.Error, OSError):
        return None


@contextmanager
def looking(conninfo: str) -> Iterator[Connection[Any]]:
    """A connection to look what another one waits for, for a few seconds; errors come out as `psycopg.Error`.

    A process has one such connection at most; where it was not taken, who waited for a turn is told the same.
    """
    with _TURN.taken(), clock.until(clock.monotonic() + LOOK_SECONDS_MAX):
        try:
            connection = connect(conninfo)
        except Unavailable as error:
            cause = error.__cause__ or error
            _TURN.refuse(cause)
            raise cause from None
        connection.conninfo = None  # nobody looks why this one is silent: its time is short, and the turn is taken
        with connection:
            yield connection


class _Turn:
    """Whose turn it is to look, and what the last one that found nobody was told."""

    def __init__(self) -> None:
        self.begin_anew()
        forks.register(self)

    def begin_anew(self) -> None:
        """Let it be nobody's."""
        self._changed = threading.Condition(threading.Lock())
        self._taken = False
        self._refused_at, self._refused = 0.0, psycopg.Error()

    @contextmanager
    def taken(self) -> Iterator[None]:
        changed = self._changed
        with changed:
            self._wait(clock.monotonic(), clock.seconds_left(2 * LOOK_SECONDS_MAX))  # longer than one look takes
            self._taken = True
        try:
            yield
        finally:
            with changed:
                self._taken = False
                changed.notify()

    def _wait(self, began: float, seconds: float) -> None:
        while self._taken:
            left = began + seconds - clock.monotonic()
            if left <= 0:
                raise psycopg.InterfaceError("others of this process look already")
            self._changed.wait(left)
            if self._refused_at > began:
                raise self._refused.with_traceback(None)

    def refuse(self, error: BaseException) -> None:
        if isinstance(error, psycopg.Error):
            with self._changed:
                self._refused_at, self._refused = clock.monotonic(), error
                self._changed.notify_all()


_TURN = _Turn()


def ask_holder(connection: Connection[Any]) -> Mapping[str, Any] | None:
    """The same over a connection that is there."""
    rows = connection.execute(SQL["select_append_holder"]).fetchall()
    if not rows:
        return None
    row = rows[0]
    since = row["since"].isoformat(timespec="seconds") if row["since"] else None
    waits_for = row["waits_for"] or ("nothing" if row["state"] else None)
    return {name: row[name] for name in ("holder", "role", "pid")} | {"since": since, "waits_for": waits_for}


def tell_waiting(connection: Connection[Any], seconds: float) -> None:
    """Say who is waited for."""
    facts = ask_holder(connection)
    if facts is not None:
        logger.warning("An append has waited for %.0f s: %s.", seconds, tell(facts))


def end_frozen(connection: Connection[Any]) -> None:
    """End the append that is waited for, where its client stands still, and say what became of that."""
    facts = ask_holder(connection)
    if facts is None:
        return
    if facts["pid"] is None:
        logger.warning("%s; whoever prepared it must commit it or roll it back.", tell(facts))
        return
    became = connection.execute(SQL["end_frozen_append"]).fetchall()[0]["became"]
    logger.warning("%s; %s.", tell(facts), _BECAME.get(became, became))


_BECAME = {
    "ended": "it is ended, since its client stands still",
    "free": "that has ended by now",
    "at work": "it is not ended, for it does not wait for its client",
    "not allowed": "it is not ended, for the owner of the ledger's functions may not (grant it pg_signal_backend)",
    "not shown": "it is not ended, for the owner of the ledger's functions may not see it (grant it pg_read_all_stats)",
}


def tell(facts: Mapping[str, Any]) -> str:
    """Who holds the append lock, as a part of a sentence."""
    sentence = f"the append lock is held by {tell_who(facts)}"
    return f"{sentence}, which waits for {facts['waits_for'] or 'what is not shown'}" if facts["pid"] else sentence


def tell_who(facts: Mapping[str, Any]) -> str:
    """Who holds a lock; one without a process is a prepared transaction, which lasts until it is ended."""
    process = f", process {facts['pid']} of the database" if facts["pid"] else ""
    role = f" as {facts['role']}" if facts["role"] else ""
    since = f", since {facts['since']}" if facts["since"] else ""
    return f"{facts['holder'] or 'a program without a name'}{role}{process}{since}"
