"""Wires the ledger to its views over one database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ledger.appending.recorder import Recorder
from ledger.application import Ledger
from ledger.asking.search import Tell, tell_nobody
from ledger.domain.numbers import asked_number
from ledger.errors import NotFound
from ledger.owners.leases import LeaseTable
from ledger.service.readiness import admin_conninfo, migrator, ready_conninfo
from ledger.service.settings import Database, allowed_unsafe_settings, find_database
from ledger.store.connection import Bounded, closed_on_error, connect, in_our_words
from ledger.store.datastore import RESERVED, Datastore
from ledger.store.feed import Feed
from projections.followed import follower
from projections.inline import rebuild
from projections.inline.views import PROJECTIONS, InlineViews
from projections.queries.ledger import ViewLedgerQueries

if TYPE_CHECKING:
    from ledger.store.diagnosis import Diagnosis

POOL = 16


def open_ledger(dsn: str | None = None, *, pool: int = POOL) -> Ledger:
    """The ledger in a database: `dsn` (any libpq conninfo), else JOBLEDGER_DSN, else PG* variables, else embedded.

    It uses `pool` connections at most in this process, 4 or more, however many threads use it: one appends, one
    follows for all who wait or watch, one looks why another is silent, and the rest answer questions. Who finds none
    of these for ten seconds gets `PoolExhausted`.

    Raises `Unavailable`: the database is away, has no ledger of this release, or has unsafe settings.
    """
    asked_number("A pool", pool, least=RESERVED + 1)
    return assemble(ready_conninfo(find_database(dsn)), pool=pool)


def assemble(conninfo: str, *, pool: int = POOL) -> Ledger:
    """The ledger over a database that is known to be ready."""
    datastore = Datastore(conninfo, max_overflow=pool - RESERVED - 1)
    with closed_on_error(datastore):
        recorder = Recorder(datastore, InlineViews(), allowed_unsafe_settings())
    leases = LeaseTable(datastore.connection)
    queries = ViewLedgerQueries(datastore.connection)
    feed = Feed(datastore, recorder.standpoint)

    def close() -> None:
        recorder.close()
        feed.close()
        datastore.close()

    return Ledger(recorder, feed, queries, leases, close)


def check_release(database: Database) -> None:
    """Raise unless the database is of this release; nothing is changed."""
    with _session(admin_conninfo(database)) as connection:
        migrator().check(connection)


@contextmanager
def _session(conninfo: str) -> Iterator[Bounded]:
    """One connection outside the pool; errors of the database come out in our words."""
    with connect(conninfo) as connection, in_our_words:
        yield connection


def diagnose(database: Database) -> "list[Diagnosis]":
    """What is missing or unsafe in a database, as the ledger would use it."""
    from ledger.store.doctor import examine  # noqa: PLC0415 - only where it is needed
    from ledger.store.pooler import examine_pooler  # noqa: PLC0415
    from projections.inspection import Inspection  # noqa: PLC0415

    conninfo = database.conninfo or ""
    if database.folder is not None:
        conninfo = ready_conninfo(database)
    with connect(conninfo) as connection, in_our_words:
        pooler = examine_pooler(connection)
        # What else such a session tells is told of no session in particular.
        return [pooler] if pooler.level == "error" else [pooler, *examine(connection, migrator(), Inspection())]


def views() -> list[dict[str, Any]]:
    """Each view with its version, its position and how far it is behind."""
    with _session(ready_conninfo(find_database())) as connection:
        return rebuild.reached(connection) + follower.reached(connection)


def rebuild_views(view: str | None, tell: Tell) -> int:
    """Rebuild a view, or all that appends fill; the position that they reached is returned. Raises `NotFound`."""
    inline = [each for each in PROJECTIONS if view in (None, each.name)]
    followed = [each for each in follower.FOLLOWED if view == each.name]
    if not (inline or followed):
        names = ", ".join(each.name for each in (*PROJECTIONS, *follower.FOLLOWED))
        raise NotFound(f"A view must be one of {names}, and {(view or '')[:80]!r} is none.")
    with _as_projector() as connection:
        if inline:
            return rebuild.rebuild(connection, inline, tell)
        follower.empty(connection, followed)
        return follower.follow(connection, tell, followed)


def damaged_rows() -> list[str]:
    """A sentence for each row that is no event where it stands, and that nobody has accepted."""
    from ledger.store.damage import examine_rows  # noqa: PLC0415 - only where it is needed
    from projections.inspection import Inspection  # noqa: PLC0415

    with _session(ready_conninfo(find_database())) as connection:
        return [finding.sentence for finding in examine_rows(connection, Inspection()) if finding.level == "error"]


def compare_views(tell: Tell = tell_nobody) -> dict[str, int]:
    """How many rows differ between each live view and one that is built from the events."""
    with _as_projector() as connection:
        return rebuild.compare(connection, tell)


@contextmanager
def _as_projector() -> Iterator[Bounded]:
    database = find_database()
    ready_conninfo(database)
    with _session(admin_conninfo(database)) as connection:
        yield connection
