"""What is missing or unsafe in a database, each finding in one sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import Connection

from ledger import clock
from ledger.errors import LedgerError
from ledger.store.damage import examine_rows
from ledger.store.migrate import Migrator
from ledger.store.statements import SQL

VERSION_MIN, VERSION_MAX = 15, 18
SKEW_SECONDS_MAX = 5.0

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: a code for programs, how bad it is, and a sentence for people."""

    code: str
    level: Level
    sentence: str


def examine(connection: Connection[Any], migrator: Migrator) -> list[Finding]:
    """Everything that the ledger relies on, looked at; the database is not changed."""
    found = [_version(connection), _skew(connection), *_settings(connection)]
    schema = _schema(connection, migrator)
    found.append(schema)
    if schema.level == "ok":
        found += [
            _identity(connection),
            *_triggers(connection),
            *_roles(connection),
            *_privileges(connection),
            *_views(connection),
            *(Finding(*found) for found in examine_rows(connection)),
        ]
    return found


def _version(connection: Connection[Any]) -> Finding:
    major = connection.info.server_version // 10_000
    if VERSION_MIN <= major <= VERSION_MAX:
        return Finding("server_version", "ok", f"The server is PostgreSQL {major}.")
    sentence = f"The server must be PostgreSQL {VERSION_MIN} to {VERSION_MAX}, and it is {major}."
    return Finding("server_version", "error" if major < VERSION_MIN else "warning", sentence)


def _skew(connection: Connection[Any]) -> Finding:
    there = connection.execute("SELECT clock_timestamp() AS there").fetchall()[0]["there"]
    seconds = abs((there - clock.now()).total_seconds())
    if seconds <= SKEW_SECONDS_MAX:
        return Finding("clock", "ok", "The server's clock and ours agree.")
    return Finding("clock", "warning", f"The server's clock and ours must agree, and they are {seconds:.0f} s apart.")


def _settings(connection: Connection[Any]) -> Iterator[Finding]:
    rows = connection.execute(SQL["select_unsafe_settings"]).fetchall()
    for row in rows:
        sentence = f"The server may lose what it acknowledged while {row['name']} = {row['setting']}; switch it on."
        yield Finding("settings", "error", sentence)
    if not rows:
        yield Finding("settings", "ok", "The server keeps what it acknowledges.")


def _schema(connection: Connection[Any], migrator: Migrator) -> Finding:
    try:
        migrator.check(connection)
    except LedgerError as error:
        return Finding("schema", "error", str(error))
    return Finding("schema", "ok", "The schema is that of this release.")


def _identity(connection: Connection[Any]) -> Finding:
    row = connection.execute(SQL["select_identity"]).fetchall()[0]
    return Finding("ledger", "ok", f"This is ledger {row['ledger']}, made on {row['created_at']:%Y-%m-%d}.")


def _triggers(connection: Connection[Any]) -> Iterator[Finding]:
    enabled = {row["name"]: row["always"] for row in connection.execute(SQL["select_triggers"]).fetchall()}
    for name, duty in (("place_append", "positions are not in order"), ("refuse_change", "events can be changed")):
        if not enabled.get(name):
            yield Finding("triggers", "error", f"The trigger {name} must be ENABLE ALWAYS; without it, {duty}.")
    if all(enabled.get(name) for name in ("place_append", "refuse_change")):
        yield Finding("triggers", "ok", "The triggers keep order, and refuse changes.")
    for row in connection.execute(SQL["select_missing_seal_triggers"]).fetchall():
        name = f"{row['name']} on ledger.{row['relation']}"
        yield Finding("triggers", "error", f"The trigger {name} must be ENABLE ALWAYS; it keeps what is sealed.")


def _roles(connection: Connection[Any]) -> Iterator[Finding]:
    missing = [row["name"] for row in connection.execute(SQL["select_missing_roles"]).fetchall()]
    if missing:
        names = ", ".join(missing)
        yield Finding("roles", "warning", f"The roles {names} are missing, so that triggers alone protect the events.")
    else:
        yield Finding("roles", "ok", "The roles are there.")
    if connection.execute(SQL["select_superuser"]).fetchall()[0]["superuser"]:
        sentence = "A superuser can switch off every protection; connect as a user that is granted jobledger_writer."
        yield Finding("superuser", "warning", sentence)


def _privileges(connection: Connection[Any]) -> Iterator[Finding]:
    rows = connection.execute(SQL["select_excess_privileges"]).fetchall()
    for row in rows:
        sentence = f"The role {row['role']} must not have {row['privilege']} on events; revoke it."
        yield Finding("privileges", "error", sentence)
    if not rows:
        yield Finding("privileges", "ok", "No role may do more to events than it must.")


def _views(connection: Connection[Any]) -> Iterator[Finding]:
    lag = connection.execute(SQL["select_lag"]).fetchall()[0]["lag"]
    if lag:
        yield Finding("views", "warning", f"The views are {lag:,} events behind; the next append lets them catch up.")
    else:
        yield Finding("views", "ok", "The views are up to date.")
    for row in connection.execute(SQL["select_followed_lag"]).fetchall():
        yield Finding(
            "followed", "ok", f"The view {row['view']} is {row['lag']:,} events behind; a question catches up."
        )
