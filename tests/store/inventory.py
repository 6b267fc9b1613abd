"""Writes the inventory of a freshly migrated database, on a server of its own; what `scripts/inventory` runs."""

import tempfile
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

import ledger.store
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import migrator
from ledger.store.inventory import NAME, print_inventory, take
from tests.store.older import Unmended


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder))
        server.start()
        try:
            Unmended(migrator().migrations).migrate(server.conninfo())
            with psycopg.connect(server.conninfo(), autocommit=True, row_factory=dict_row) as connection:
                text = print_inventory(take(connection))
        finally:
            server.stop()
    path = Path(ledger.store.__path__[0]) / NAME
    path.write_text(text, encoding="utf-8")
    print(f"{path.relative_to(Path.cwd())} has {text.count(chr(10)):,} lines.")


if __name__ == "__main__":
    main()
