"""Where the database is: `JOBLEDGER_DSN`, else the PG* variables, else the embedded PostgreSQL."""

import os
from dataclasses import dataclass
from pathlib import Path

PG_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGPASSFILE", "PGPASSWORD")


@dataclass(frozen=True, slots=True)
class Database:
    """A database by its conninfo; `folder` is that of the embedded one, which starts and migrates itself."""

    conninfo: str | None
    folder: Path | None


def find_database(dsn: str | None = None) -> Database:
    """The database that a command without further word is about."""
    dsn = dsn if dsn is not None else os.environ.get("JOBLEDGER_DSN")
    if dsn is not None and dsn.strip():
        return Database(dsn, None)
    if any(os.environ.get(name) for name in PG_VARIABLES):
        return Database("", None)
    from ledger.service.embedded import default_folder  # noqa: PLC0415 - only where it is needed

    return Database(None, default_folder())


def allowed_unsafe_settings() -> frozenset[str]:
    """The server settings that may be unsafe, by name, from `JOBLEDGER_ALLOW_UNSAFE` (comma between names)."""
    return frozenset(filter(None, os.environ.get("JOBLEDGER_ALLOW_UNSAFE", "").replace(" ", "").split(",")))
