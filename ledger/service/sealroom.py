"""What is sealed in the database that commands are about."""

from ledger.service.readiness import ready_conninfo
from ledger.service.settings import find_database
from ledger.store.connection import connect
from ledger.store.seals import SealTable


def open_room() -> SealTable:
    """What is sealed, over connections of its own; raises `Unavailable`."""
    conninfo = ready_conninfo(find_database())
    return SealTable(lambda: connect(conninfo))
