"""The schema, owned by numbered SQL files: applied once each, in order, all or nothing, and never changed after."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from psycopg import Connection
from psycopg.rows import DictRow

from ledger.errors import ChecksumMismatch, SchemaMissing, SchemaTooNew
from ledger.store import append_lock
from ledger.store.connection import connect, in_our_words
from ledger.store.inventory import Inventory, take
from ledger.store.mending import hear, lacking_views, mend, tell_rights
from ledger.store.missing import is_lacking, put_back
from ledger.store.owners import put_right
from ledger.store.pooler import refuse_transaction_pooler
from ledger.store.statements import SQL

_BEFORE = ("create_schemas", "create_roles", "own_views", "become_owner")
_GRANTS = ("grant_privileges", "grant_sealing")


# A migration that stopped at what some ledgers hold was mended: where it was applied as it was, it has done the same.
REVISED = {
    ("projections", 7): frozenset({"b0cc87e9429b74cbf2392032179295806d5073d2bf5d527380c7629b62c80a9b"}),
}


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file, whose statements are run with `schema` as the search path."""

    schema: str
    number: int
    name: str
    sql: str

    @property
    def known_as(self) -> frozenset[str]:
        """The checksums of what it was when it was applied: this, or what it was before it was revised."""
        return REVISED.get((self.schema, self.number), frozenset()) | {self.checksum}

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(schema: str, package: str) -> list[Migration]:
    """The migrations in the folder `migrations` of a package, in order."""
    entries = sorted(
        (entry for entry in (files(package) / "migrations").iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    migrations = []
    for entry in entries:
        number, _, name = entry.name.removesuffix(".sql").partition("_")
        migrations.append(Migration(schema, int(number), name, entry.read_text(encoding="utf-8")))
    return migrations


class Migrator:
    """Brings a database to this release; safe to run from many processes at once."""

    def __init__(self, migrations: Sequence[Migration]) -> None:
        self.migrations = migrations

    def pending(self, connection: Connection[DictRow]) -> list[Migration]:
        """The migrations that the database lacks.

        Raises `SchemaTooNew` where it has one that this release does not know, `ChecksumMismatch` where one differs.
        """
        if connection.execute("SELECT to_regclass('ledger.migrations') AS found").fetchall()[0]["found"] is None:
            return list(self.migrations)
        rows = connection.execute(SQL["select_migrations"]).fetchall()
        applied = {(row["schema"], row["number"]): row for row in rows}
        known = {(migration.schema, migration.number): migration for migration in self.migrations}
        for key, row in applied.items():
            _check(row, known.get(key))
        return [migration for key, migration in known.items() if key not in applied]

    def check(self, connection: Connection[DictRow]) -> None:
        """Raise `SchemaMissing` unless the database is that of this release."""
        missing = self.pending(connection)
        if missing:
            names = ", ".join(f"{migration.schema} {migration.number:04} {migration.name}" for migration in missing)
            raise SchemaMissing(f"The database lacks {names}; run jobledger migrate.", missing=names)

    def migrate(self, conninfo: str, tell: Callable[[str], None] = lambda _sentence: None) -> list[Migration]:
        """Apply what is pending and mend what a restore left behind, in one transaction; what was applied is returned.

        `tell` hears a sentence for each thing that was mended, and for each that an administrator must mend. Raises
        `TransactionPooler` where sessions are shared, `Unavailable` with what whoever migrates cannot mend.
        """
        with connect(conninfo) as connection, in_our_words, hear(connection, tell):
            refuse_transaction_pooler(connection)
            with connection.transaction():
                return self._migrate(connection, tell)

    def _migrate(self, connection: Connection[DictRow], tell: Callable[[str], None]) -> list[Migration]:
        connection.execute(SQL["take_migration_lock"])
        before = take(connection)
        put_right(connection, tell, is_whole=lambda: not self.pending(connection))
        connection.execute(SQL["check_migrator"])
        connection.execute(SQL["become_owner"])  # who may act as the owner need not have his rights else
        anew = self._lacking(connection)
        pending = self.pending(connection)
        if pending or anew or is_lacking(before):  # which an append would wait for, or it for the append
            append_lock.take(connection, "take_append_lock_alone")
        connection.execute(SQL["reset_role"])
        connection.execute(SQL["mend_default_privileges"])
        for name in _BEFORE:
            connection.execute(SQL[name])
        connection.execute(SQL["mend_default_privileges"])  # of the owner, whose rights who migrates need not have
        if anew:
            self._clear(connection, anew)
            tell(f"The views in {' and '.join(anew)} were not whole; they are made anew, and filled from the events.")
            pending = self.pending(connection)
        for migration in pending:
            connection.execute(f"SET LOCAL search_path = {migration.schema}, pg_catalog, pg_temp")
            connection.execute(migration.sql)
            connection.execute(
                SQL["insert_migration"],
                {
                    "schema": migration.schema,
                    "number": migration.number,
                    "name": migration.name,
                    "checksum": migration.checksum,
                },
            )
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        self._put_back(connection, take(connection) if pending else before, tell)
        self._grant(connection)
        tell_rights(before, self._mend(connection, tell), anew, tell)
        return pending

    def _lacking(self, connection: Connection[DictRow]) -> list[str]:
        """The schemas of views that must be made anew, since something of theirs is missing."""
        known = {migration.schema for migration in self.migrations}
        pending = {migration.schema for migration in self.pending(connection)}
        return [schema for schema in lacking_views(connection, whole=known - pending) if schema in known]

    def _clear(self, connection: Connection[DictRow], schemas: Sequence[str]) -> None:
        for schema in schemas:
            connection.execute(SQL["clear_views"].replace("cleared_schema", schema))
            connection.execute(SQL["delete_migrations"], {"schema": schema})

    def _grant(self, connection: Connection[DictRow]) -> None:
        for name in _GRANTS:
            connection.execute(SQL[name])

    def _put_back(self, connection: Connection[DictRow], there: Inventory, tell: Callable[[str], None]) -> None:
        put_back(connection, there, tell)

    def _mend(self, connection: Connection[DictRow], tell: Callable[[str], None]) -> Inventory:
        return mend(connection, tell)

    def print(self) -> Iterator[str]:
        """Everything that a migration of an empty database runs, as SQL for an administrator to read."""
        yield "BEGIN;"
        yield "SET LOCAL search_path = pg_catalog, pg_temp;"
        for name in ("check_migrator", "take_migration_lock", *_BEFORE):
            yield SQL[name].rstrip(";") + ";"
        for migration in self.migrations:
            yield f"-- {migration.schema} {migration.number:04} {migration.name}, sha256 {migration.checksum}"
            yield f"SET LOCAL search_path = {migration.schema}, pg_catalog, pg_temp;"
            yield migration.sql.strip()
            yield (
                "INSERT INTO ledger.migrations (schema, number, name, checksum) VALUES "
                f"('{migration.schema}', {migration.number}, '{migration.name}', '{migration.checksum}');"
            )
        yield "SET LOCAL search_path = pg_catalog, pg_temp;"
        for name in _GRANTS:
            yield SQL[name].rstrip(";") + ";"
        yield "COMMIT;"


def _check(row: DictRow, migration: Migration | None) -> None:
    if migration is None:
        raise SchemaTooNew(
            f"The database was migrated by a newer release ({row['schema']} {row['number']:04} {row['name']}); "
            "install that release.",
            found=row["number"],
            known=None,
        )
    if row["checksum"] not in migration.known_as:
        raise ChecksumMismatch(
            f"The migration {row['schema']} {row['number']:04} {row['name']} is not the one that was applied.",
            migration=f"{row['schema']} {row['number']:04}",
        )


def act_as_owner(connection: Connection[DictRow]) -> None:
    """Act as whom the ledger belongs to, from now on."""
    connection.execute(SQL["act_as_owner"])
