"""Wires the questions to the views over one connection, for a command that asks and ends.

Such a command is run by scripts, again and again, and most of its time goes into imports. So this imports neither the
recorder nor events, admission, recovery or the pool, and a test sees to it that it stays so.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.asking.questions import Questions
from ledger.service.readiness import ready_connection
from ledger.service.settings import find_database
from ledger.store.connection import Bounded, configure, in_our_words
from projections.queries.now import ViewQueries


@contextmanager
def open_questions(dsn: str | None = None) -> Iterator[Questions]:
    """The questions to a ledger, which is found and checked as by `open_ledger`; for one thread."""
    with ready_connection(find_database(dsn)) as connection:
        configure(connection)
        yield Questions(ViewQueries(lambda: _lend(connection)), connection.close)


@contextmanager
def _lend(connection: Bounded) -> Iterator[Bounded]:
    with in_our_words:
        yield connection
