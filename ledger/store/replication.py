"""What the standbys have: an acknowledgement never rests on what none of them has, while the server waits for one.

The commit of an append waits by itself. But where that wait was cut short, the append is there on the primary alone,
and shown. So whatever finds it there and says so (`unchanged`, the look-up after a lost connection, a seal) ends in a
commit of its own that waits; what is confirmed then, is confirmed with all before it. A wait cut short tells nobody
anything: it is `OutcomeUnknown`. Questions answer what the primary shows, and wait for nobody.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from ledger.errors import OutcomeUnknown, UnsafeSettings
from ledger.store.connection import is_away
from ledger.store.statements import SQL

CANCELLED = "01000"  # the only sign of a wait that was cancelled is a warning at commit; nothing else gives one there
_WITHOUT_WAITING = ("off", "local")
AWAIT_STANDBY = SQL["await_standby"]


class Durability(NamedTuple):
    """What a session waits for at commit: `synchronous_commit`, and the standbys that are named, empty where none is.

    >>> Durability("on", "").waits, Durability("on", "ANY 1 (a, b)").waits, Durability("local", "a").waits
    (False, True, False)
    """

    commit: str
    standbys: str

    @property
    def waits(self) -> bool:
        """Whether a commit waits for a standby."""
        return bool(self.standbys) and self.commit not in _WITHOUT_WAITING

    def check(self, allowed: Collection[str]) -> None:
        """Raise `UnsafeSettings` where a commit may be lost, or waits for no standby though there should be one."""
        if self.commit == "off" or (self.commit == "local" and self.standbys):
            refuse({"synchronous_commit": self.commit}, allowed)


def unsafe_settings(connection: Connection[Any]) -> dict[str, str]:
    """The settings with which the server may lose what it acknowledges, by their names."""
    return {row["name"]: row["setting"] for row in connection.execute(SQL["select_unsafe_settings"]).fetchall()}


def refuse(unsafe: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raise `UnsafeSettings` for each of these settings that was not allowed by its name."""
    refused = {name: setting for name, setting in unsafe.items() if name not in allowed}
    if refused:
        names = ", ".join(f"{name} = {setting}" for name, setting in refused.items())
        raise UnsafeSettings(
            f"The server may lose what it acknowledges ({names}); switch that on, or allow it by name in "
            "JOBLEDGER_ALLOW_UNSAFE.",
            settings=refused,
        )


class Replicated:
    """Up to which position the standbys are known to have the ledger, as commits over one connection have shown.

    A server that is another one, or that went back, is another connection.
    """

    def __init__(self) -> None:
        self._standbys = ""
        self._position = 0

    def heed(self, durability: Durability) -> None:
        """Take note of what commits wait for now; where that is something else, nothing is known."""
        standbys = durability.standbys if durability.waits else ""
        if standbys != self._standbys:
            self._standbys, self._position = standbys, 0

    def lacks(self, position: int) -> bool:
        """Whether an answer that rests on a position has to wait."""
        return bool(self._standbys) and position > self._position

    def reach(self, position: int) -> None:
        """A commit that waits has come back, with this the last position before it."""
        self._position = position if self._standbys else 0


def cut_short(how: str) -> OutcomeUnknown:
    """The error for a wait for a standby that came to no end."""
    return OutcomeUnknown(
        f"The wait for a synchronous standby was {how}, so what is recorded may be lost in a failover; repeat it."
    )


@contextmanager
def confirmed(connection: Connection[Any]) -> Iterator[None]:
    """A transaction after which a standby has all that was committed so far, where one is waited for.

    Raises `OutcomeUnknown` where that wait is cut short, or the connection lost in the commit.
    """
    warned: list[str | None] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        warned.append(notice.sqlstate)

    ended = False
    connection.add_notice_handler(hear)
    try:
        with connection.transaction():
            yield
            connection.execute(AWAIT_STANDBY)
            ended = True
            warned.clear()
    except psycopg.Error as error:
        if ended and is_away(error):
            raise OutcomeUnknown(
                "The connection was lost before the commit was answered, so it may be recorded; repeat it."
            ) from error
        raise
    finally:
        connection.remove_notice_handler(hear)
    if CANCELLED in warned:
        raise cut_short("cancelled")
