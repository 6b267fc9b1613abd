"""A connection to PostgreSQL, by libpq's conninfo with all its options, and the errors of one in our words.

A command that only asks needs no more than this, and so nothing that is slow to import is imported here.
"""

import re
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from pydantic_core import from_json

from ledger.errors import (
    AccessDenied,
    DatabaseAway,
    DiskFull,
    HostileText,
    LedgerError,
    MalformedConninfo,
    SchemaMissing,
    Unavailable,
)

CONNECT_SECONDS_MAX = 10
SEARCH_PATH = "projections, pg_catalog, pg_temp"
READABLE = (  # as psycopg reads, and text of every language
    "SET client_encoding = 'UTF8'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'"
)
_CONNINFO = re.compile(r"connection (info )?string|connection option|\bURI\b|URI query parameter")
_QUOTED = re.compile(r'"[^"]*"?')

_BY_STATE: dict[str, tuple[type[LedgerError], str]] = {
    "28P01": (AccessDenied, "The database refuses this password; check JOBLEDGER_DSN or PGPASSWORD"),
    "28000": (AccessDenied, "The database refuses this user; check JOBLEDGER_DSN or PGUSER"),
    "42501": (AccessDenied, "The database role lacks a privilege; grant it jobledger_writer"),
    "53100": (DiskFull, "The database has no room left on its disk; make room and repeat"),
    "3D000": (DatabaseAway, "There is no such database; create it or check JOBLEDGER_DSN"),
    "42P01": (SchemaMissing, "The database has no ledger of this release; run jobledger migrate"),
    "3F000": (SchemaMissing, "The database has no ledger of this release; run jobledger migrate"),
    "25006": (DatabaseAway, "The database takes no writes; connect to the primary"),
}


class _InOurWords:
    """Lets errors of the database come out in our words, and of a text that cannot be sent to it."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, psycopg.Error | UnicodeEncodeError):
            raise translate(error) from error


in_our_words = _InOurWords()


def translate(error: Exception) -> LedgerError:
    """The error in our words, with what the database said."""
    said = " ".join(str(error).split())
    if _is_of_text(error, said):
        return HostileText("A text must be Unicode without the character NUL, and one that was asked about is not.")
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None and _CONNINFO.search(said):
        return MalformedConninfo(
            "A database must be named as libpq has it, host=… dbname=… or postgresql://…, and JOBLEDGER_DSN is not "
            f"({_QUOTED.sub(_hide, said)})."
        )
    state = getattr(error, "sqlstate", None) or _state_of_text(said)
    if state in _BY_STATE:
        kind, sentence = _BY_STATE[state]
        return kind(f"{sentence} ({said}).", sqlstate=state)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseAway(
            f"The database does not answer; check that it runs and JOBLEDGER_DSN ({said}).", sqlstate=state
        )
    return Unavailable(f"The database could not do what was asked ({said}).", sqlstate=state)


def _hide(quoted: re.Match[str]) -> str:
    """A character of the syntax stays; anything longer may be a password, or have one in it."""
    return quoted[0] if len(quoted[0]) == len('"="') else "…"


def _is_of_text(error: Exception, said: str) -> bool:
    """Whether an error is that psycopg or PostgreSQL cannot take NUL, or half of a surrogate pair."""
    if isinstance(error, psycopg.DataError):
        return error.sqlstate in ("22P05", "22021") or "NUL (0x00)" in said or "surrogate" in said
    return isinstance(error, UnicodeEncodeError)


def _state_of_text(said: str) -> str | None:
    # A failed connection attempt carries no SQLSTATE, so the server's own words must do.
    for words, state in (
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ("pg_hba.conf rejects connection", "28000"),
        ("Peer authentication failed", "28000"),
        ('role "', "28000"),
        ('database "', "3D000"),
    ):
        if words in said and ("does not exist" in said or not words.endswith('"')):
            return state
    return None


def connect(conninfo: str) -> Connection[DictRow]:
    """One connection outside the pool, for what is done once; raises `Unavailable`."""
    return connect_as(Connection[DictRow], conninfo)


C = TypeVar("C", bound=Connection[Any])


def connect_as(kind: type[C], conninfo: str) -> C:
    """The same, of a class of its own."""
    with in_our_words:
        connection = kind.connect(conninfo, row_factory=dict_row, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX)
        connection.execute(READABLE)
    return connection


def configure(connection: Connection[Any]) -> None:
    """Set what the ledger relies on: the names of views, UTC, and an isolation that reads what was just committed.

    JSON is read by pydantic, from bytes, in a third of the time; it gives the same values.

    Each statement is planned once, for whatever it is asked, since there is one right plan; planning takes longer than
    the answer.
    """
    connection.autocommit = True
    set_json_loads(from_json, connection)
    connection.execute(
        f"{READABLE}; SET search_path = {SEARCH_PATH}; SET default_transaction_isolation = 'read committed'; "
        "SET plan_cache_mode = force_generic_plan"
    )
