"""What is missing or unsafe in a database, each finding in one sentence."""

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Connection

from ledger import clock
from ledger.errors import LedgerError
from ledger.store.deviations import examine_inventory, missing_roles
from ledger.store.finding import Finding
from ledger.store.inventory import expected, take
from ledger.store.migrate import Migrator
from ledger.store.statements import SQL

VERSION_MIN, VERSION_MAX = 15, 18
SKEW_SECONDS_MAX = 5.0


def examine(connection: Connection[Any], migrator: Migrator) -> list[Finding]:
    """Everything that the ledger relies on, looked at; the database is not changed."""
    found = [_version(connection), _skew(connection), *_settings(connection)]
    schema = _schema(connection, migrator)
    found.append(schema)
    if schema.level == "ok":
        wanted, there = expected(), take(connection)
        found += [
            _identity(connection),
            *_roles(connection, missing_roles(wanted, there)),
            *examine_inventory(connection, wanted, there),
            *_views(connection),
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


def _roles(connection: Connection[Any], missing: Sequence[str]) -> Iterator[Finding]:
    if missing:
        names = ", ".join(missing)
        yield Finding("roles", "warning", f"The roles {names} are missing, so that triggers alone protect the events.")
    else:
        yield Finding("roles", "ok", "The roles are there.")
    if connection.execute(SQL["select_superuser"]).fetchall()[0]["superuser"]:
        sentence = "A superuser can switch off every protection; connect as a user that is granted jobledger_writer."
        yield Finding("superuser", "warning", sentence)


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
