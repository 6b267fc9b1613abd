"""A followed view as small as can be: one row an event. Run as a program it dies at its Nth statement."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ledger.store.statements import SQL
from ledger.store.views import Session
from projections.followed import follower
from projections.followed.stored_event import StoredEntry

TABLE = "CREATE TABLE history.noted (position bigint PRIMARY KEY, event text NOT NULL)"


class Noted:
    """The view `noted`: the word of each event."""

    name = "noted"
    version = 1
    tables: Mapping[str, str] = {"noted": "position"}

    def project(self, session: Session, page: Sequence[StoredEntry]) -> None:
        with session.cursor() as cursor:
            rows = [(entry.position, entry.event.name) for entry in page]
            cursor.executemany("INSERT INTO history.noted VALUES (%s, %s)", rows)


class Later(Noted):
    """A second view of the same kind, which came later."""

    name = "later"
    tables: Mapping[str, str] = {"later": "position"}

    def project(self, session: Session, page: Sequence[StoredEntry]) -> None:
        session.execute("INSERT INTO history.later SELECT unnest(%s::bigint[])", ([entry.position for entry in page],))


def make(superuser: str) -> None:
    """Make the table of `noted`, as a migration would."""
    with psycopg.connect(superuser) as connection:
        connection.execute(TABLE)
        connection.execute(SQL["grant_privileges"])


def noted(superuser: str) -> list[tuple[int, str]]:
    """What the view says."""
    with psycopg.connect(superuser) as connection:
        return connection.execute("SELECT position, event FROM history.noted ORDER BY position").fetchall()


class Mortal(psycopg.Connection[dict[str, Any]]):
    """A session whose process is killed just before its Nth statement."""

    left = -1

    def execute(self, *arguments: Any, **options: Any) -> Any:
        if Mortal.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Mortal.left -= 1
        return super().execute(*arguments, **options)


def main(conninfo: str, page: str, dies_at: str, view: str = "noted") -> None:
    """Follow with pages of a size, and die; end quietly where there were fewer statements."""
    follower.PAGE_EVENTS_MAX = int(page)
    with Mortal.connect(conninfo, autocommit=True, row_factory=dict_row) as session:
        Mortal.left = int(dies_at)
        follower.follow(session, projections=[each for each in (Noted(), *follower.FOLLOWED) if each.name == view])


if __name__ == "__main__":
    main(*sys.argv[1:])
