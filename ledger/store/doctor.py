"""What is missing or unsafe in a database, each finding in one sentence."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection

from ledger import clock
from ledger.errors import AccessDenied, LedgerError
from ledger.store import append_lock
from ledger.store.connection import in_our_words
from ledger.store.damage import examine_rows
from ledger.store.deviations import examine_inventory, missing_roles
from ledger.store.diagnosis import Diagnosis, Level
from ledger.store.inventory import expected, take
from ledger.store.migrate import Migrator
from ledger.store.owners import examine_owners
from ledger.store.replication import unsafe_settings
from ledger.store.statements import SQL
from ledger.store.views import CATCH_UP_EVENTS_MAX, Inspected

VERSION_MIN, VERSION_MAX = 15, 18
SKEW_SECONDS_MAX = 5.0
QUEUE_SHARE_MAX = 0.01  # of the room for notifications: 80 MB of 8 GB, that a listener has not read
HELD_SECONDS_MAX = 10.0


def examine(connection: Connection[Any], migrator: Migrator, views: Inspected) -> list[Diagnosis]:
    """Everything that the ledger relies on, looked at; the database is not changed.

    What cannot be looked at, as after half a restore, is a finding too.
    """
    findings = [
        _version(connection),
        _encoding(connection),
        *_sorting(connection),
        _skew(connection),
        *_settings(connection),
    ]
    schema = _schema(connection, migrator)
    findings.append(schema)
    findings += _look("owners", lambda: examine_owners(connection))
    if schema.level == "ok":
        wanted, there = expected(), take(connection)
        missing = missing_roles(wanted, there)
        looks: tuple[tuple[str, Callable[[], Iterable[Diagnosis]]], ...] = (
            ("ledger", lambda: _identity(connection)),
            ("roles", lambda: _roles(connection, missing)),
            ("objects", lambda: examine_inventory(connection, wanted, there)),
            ("sequences", lambda: _sequences(connection)),
            ("views", lambda: _views(connection, views)),
            ("followed", lambda: _followed(connection, views)),
            ("notifications", lambda: [_notifications(connection)]),
            ("append_lock", lambda: [_append_lock(connection)]),
            ("damaged", lambda: examine_rows(connection, views)),
        )
        for code, look in looks:
            findings += _look(code, look)
    return findings


def _look(code: str, look: Callable[[], Iterable[Diagnosis]]) -> list[Diagnosis]:
    findings = []
    try:
        with in_our_words:
            for finding in look():
                findings.append(finding)  # noqa: PERF402 - what was found before it failed is kept
    except AccessDenied as error:
        findings.append(Diagnosis(code, "warning", f"Not all of this is shown to this role: {error}"))
    except LedgerError as error:
        findings.append(Diagnosis(code, "error", f"Not all of this could be looked at: {error}"))
    return findings


def _version(connection: Connection[Any]) -> Diagnosis:
    major = connection.info.server_version // 10_000
    if VERSION_MIN <= major <= VERSION_MAX:
        return Diagnosis("server_version", "ok", f"The server is PostgreSQL {major}.")
    sentence = f"The server must be PostgreSQL {VERSION_MIN} to {VERSION_MAX}, and it is {major}."
    return Diagnosis("server_version", "error" if major < VERSION_MIN else "warning", sentence)


def _encoding(connection: Connection[Any]) -> Diagnosis:
    encoding = connection.execute(SQL["select_encoding"]).fetchall()[0]["encoding"]
    if encoding == "UTF8":
        return Diagnosis("encoding", "ok", "The database keeps text as UTF8.")
    return Diagnosis("encoding", "error", f"The database must keep text as UTF8, and keeps it as {encoding}.")


def _sorting(connection: Connection[Any]) -> Iterator[Diagnosis]:
    """Whether the system still sorts texts as it did when their indexes were made."""
    rows = connection.execute(SQL["select_sorting"]).fetchall()
    for row in rows:
        yield Diagnosis(
            "collation",
            "warning",
            f"{row['what']} was made with version {row['made']} of its collation, and the system has {row['there']}: "
            "indexes in that order may miss rows, though no index of the ledger is in it; REINDEX the others, then "
            f"ALTER {row['remedy']} REFRESH COLLATION VERSION.",
        )
    if not rows:
        yield Diagnosis("collation", "ok", "The system sorts texts as it did when the database was made.")


def _skew(connection: Connection[Any]) -> Diagnosis:
    there = connection.execute("SELECT clock_timestamp() AS there").fetchall()[0]["there"]
    seconds = abs((there - clock.now()).total_seconds())
    if seconds <= SKEW_SECONDS_MAX:
        return Diagnosis("clock", "ok", "The server's clock and ours agree.")
    return Diagnosis("clock", "warning", f"The server's clock and ours must agree, and they are {seconds:.0f} s apart.")


def _settings(connection: Connection[Any]) -> Iterator[Diagnosis]:
    unsafe = unsafe_settings(connection)
    for name, setting in unsafe.items():
        sentence = f"The server may lose what it acknowledged while {name} = {setting}; switch it on."
        yield Diagnosis("settings", "error", sentence)
    if connection.execute("SHOW default_transaction_read_only").fetchall()[0]["default_transaction_read_only"] == "on":
        sentence = "Nobody can write over such a session while default_transaction_read_only is on; switch that off."
        yield Diagnosis("settings", "warning", sentence)
    elif not unsafe:
        yield Diagnosis("settings", "ok", "The server keeps what it acknowledges.")


def _schema(connection: Connection[Any], migrator: Migrator) -> Diagnosis:
    try:
        with in_our_words:
            migrator.check(connection)
    except LedgerError as error:
        return Diagnosis("schema", "error", str(error))
    return Diagnosis("schema", "ok", "The schema is that of this release.")


def _identity(connection: Connection[Any]) -> Iterator[Diagnosis]:
    rows = connection.execute(SQL["select_identity"]).fetchall()
    if not rows:
        yield Diagnosis(
            "ledger", "error", "The ledger must have a name of its own, and has none; run jobledger migrate."
        )
        return
    ledger = rows[0]["ledger"]
    others = sorted({row["name"] for row in connection.execute(SQL["select_evident_names"]).fetchall()} - {ledger})
    if others:
        names = " and ".join(others)
        sentence = f"This ledger is called {ledger}, and what is sealed in it is of {names}; run jobledger migrate."
        yield Diagnosis("ledger", "error", sentence)
    else:
        yield Diagnosis("ledger", "ok", f"This is ledger {ledger}, made on {rows[0]['created_at']:%Y-%m-%d}.")


def _roles(connection: Connection[Any], missing: Sequence[str]) -> Iterator[Diagnosis]:
    if missing:
        lacking = f"The roles {', '.join(missing)} are missing, so that triggers alone protect the events"
        yield Diagnosis("roles", "warning", f"{lacking}; let somebody who has CREATEROLE run jobledger migrate.")
    else:
        yield Diagnosis("roles", "ok", "The roles are there.")
    if connection.execute(SQL["select_superuser"]).fetchall()[0]["superuser"]:
        sentence = "A superuser can switch off every protection; connect as a user that is granted jobledger_writer."
        yield Diagnosis("superuser", "warning", sentence)


def _sequences(connection: Connection[Any]) -> Iterator[Diagnosis]:
    for row in connection.execute(SQL["select_late_sequences"]).fetchall():
        sentence = f"The sequence {row['name']} gives numbers that {row['of']} has already; run jobledger migrate."
        yield Diagnosis("sequences", "error", sentence)


def _views(connection: Connection[Any], views: Inspected) -> Iterator[Diagnosis]:
    lag = views.lag(connection)
    if lag.ahead:
        yield _is_ahead("views", "One of the views", lag.ahead, "")
    elif lag.emptied:
        sentence = "The views have no rows, though they say that they have taken in events; run jobledger migrate."
        yield Diagnosis("views", "error", sentence)
    elif lag.lag > CATCH_UP_EVENTS_MAX:
        sentence = (
            f"The views are {lag.lag:,} events behind, and an append catches up {CATCH_UP_EVENTS_MAX:,} at most; "
            "run jobledger projections rebuild."
        )
        yield Diagnosis("views", "error", sentence)
    elif lag.lag:
        sentence = f"The views are {lag.lag:,} events behind; the next append lets them catch up."
        yield Diagnosis("views", "warning", sentence)
    else:
        yield Diagnosis("views", "ok", "The views are up to date.")


def _followed(connection: Connection[Any], views: Inspected) -> Iterator[Diagnosis]:
    for view, behind in views.followed(connection).items():
        if behind < 0:
            yield _is_ahead("followed", f"The view {view}", -behind, f" {view}")
        else:
            yield Diagnosis("followed", "ok", f"The view {view} is {behind:,} events behind; a question catches up.")


def _is_ahead(check: str, what: str, events: int, view: str) -> Diagnosis:
    sentence = (
        f"{what} is {events:,} events ahead of the ledger, and must not be; run jobledger projections rebuild{view}."
    )
    return Diagnosis(check, "error", sentence)


def _notifications(connection: Connection[Any]) -> Diagnosis:
    row = connection.execute(SQL["select_listeners"]).fetchall()[0]
    level: Level = "warning" if row["used"] >= QUEUE_SHARE_MAX else "ok"
    who = "nobody is seen to listen"
    if row["pid"] is not None:
        who = (
            f"the oldest listener is process {row['pid']} ({row['name'] or 'without a name'}, as {row['role']} in "
            f"{row['database']}), since {row['since']:%Y-%m-%d %H:%M:%SZ}"
        )
    remedy = "; once it is full, appends fail: end who does not read" if level == "warning" else ""
    return Diagnosis(
        "notifications", level, f"The queue of notifications is {row['used']:.1%} full, and {who}{remedy}."
    )


def _append_lock(connection: Connection[Any]) -> Diagnosis:
    """Who holds the append lock for long; who may not append is not shown it."""
    try:
        facts = append_lock.ask_holder(connection)
    except psycopg.errors.InsufficientPrivilege:
        return Diagnosis("append_lock", "ok", "Who may not append is not shown who holds the append lock.")
    if facts is None or _age(facts["since"]) < HELD_SECONDS_MAX:
        return Diagnosis("append_lock", "ok", "No append holds up the others.")
    return Diagnosis("append_lock", "warning", f"Appends must end within seconds, and {append_lock.tell(facts)}.")


def _age(since: str | None) -> float:
    return (clock.now() - datetime.fromisoformat(since)).total_seconds() if since else 0.0
