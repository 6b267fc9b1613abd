"""A database that goes back to a backup, and grows on by others, while processes that knew more are at work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.service.readiness import WRITER

GrowOn = Callable[[Ledger], object]
BUSY = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


def six_plans(ledger: Ledger) -> None:
    """What others tell of as long as nothing else is asked for."""
    for n in range(6):
        ledger.plan("T", job=f"new{n}")


@contextmanager
def backup(server: str, superuser: str) -> Iterator[Callable[[GrowOn], None]]:
    """Makes a backup of what is on record now; what is given puts it in the database's place, and lets it grow on."""
    name = str(conninfo_to_dict(superuser)["dbname"])
    with psycopg.connect(server, autocommit=True) as admin:

        def alter(database: str, change: str, *names: str) -> None:
            parts = [sql.Identifier(each) for each in (database, *names)]
            admin.execute(sql.SQL("ALTER DATABASE {} " + change).format(*parts))

        def let_go() -> None:
            alter(name, "ALLOW_CONNECTIONS false")
            while admin.execute(BUSY, (name,)).fetchall():
                pass

        let_go()
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (f"{name}_1", name))))
        alter(name, "ALLOW_CONNECTIONS true")

        def restore(grow_on: GrowOn = six_plans) -> None:
            let_go()
            alter(name, "RENAME TO {}", f"{name}_lost")
            with assemble(make_conninfo(superuser, dbname=f"{name}_1", options=WRITER)) as other:
                grow_on(other)
            admin.execute(BUSY, (f"{name}_1",))
            while admin.execute(BUSY, (f"{name}_1",)).fetchall():
                pass
            alter(f"{name}_1", "RENAME TO {}", name)

        yield restore
        for part in ("lost", "1"):
            admin.execute(f"DROP DATABASE IF EXISTS {name}_{part} WITH (FORCE)")
