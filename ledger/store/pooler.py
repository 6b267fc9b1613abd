"""Whether a pooler stands in between that gives each transaction another session of the server.

The ledger relies on its session: on settings, prepared statements, locks that outlast a transaction, and notifications.
A pooler that keeps one for each client, as long as that is connected, takes none of it away.
"""

from contextlib import suppress

import psycopg

from ledger import clock
from ledger.errors import TransactionPooler, Unavailable
from ledger.store.connection import Bounded, connect
from ledger.store.diagnosis import Diagnosis
from ledger.store.statements import SQL

ROUNDS = 3  # a pooler may hand out its sessions in turn
SECONDS_MAX = 5.0
SENTENCE = (
    "A pooler between this process and the server must keep a session for each client, and gives each transaction "
    "another; let it do so (PgBouncer: pool_mode = session), or connect to the server itself."
)


def refuse_transaction_pooler(connection: Bounded) -> None:
    """Raise `TransactionPooler` where sessions are shared; no second connection is made where no pooler answers."""
    if connection.behind_pooler and shares_sessions(connection):
        raise TransactionPooler(SENTENCE)


def examine_pooler(connection: Bounded) -> Diagnosis:
    """The same as a finding, always by a second connection."""
    if shares_sessions(connection):
        return Diagnosis("pooler", "error", SENTENCE)
    return Diagnosis("pooler", "ok", "Each connection has a session of its own.")


def shares_sessions(connection: Bounded) -> bool:
    """Whether a second connection, in a transaction, comes to the process that answered the first, or takes it away.

    The first must be idle. Where no second one can be had within 5 seconds, nothing is shown by it.
    """
    with suppress(Unavailable), clock.until(clock.monotonic() + SECONDS_MAX):
        second = connect(connection.conninfo or "")
        try:
            return any(_meet(connection, second) for _ in range(ROUNDS))
        except psycopg.errors.ProtocolViolation:  # as PgBouncer answers where not even a transaction has a session
            return True
        except psycopg.Error:
            return False
        finally:
            second.close()
    return False


def _meet(one: Bounded, other: Bounded) -> bool:
    before = _process(one)
    with other.transaction():
        return _process(other) == before or _process(one) != before


def _process(connection: Bounded) -> int:
    return int(connection.execute(SQL["select_process"], prepare=False).fetchall()[0]["pid"])
