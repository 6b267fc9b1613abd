"""What is sealed in the database that commands are about."""

from ledger.service.readiness import as_sealer, ready_conninfo
from ledger.service.settings import find_database
from ledger.store.connection import connect
from ledger.store.seals import SealTable


def open_room(*, sealing: bool = False) -> SealTable:
    """What is sealed, over connections of its own, in the embedded database as who seals; raises `Unavailable`."""
    database = find_database()
    conninfo = ready_conninfo(database)
    if sealing and database.folder is not None:
        conninfo = as_sealer(conninfo)
    return SealTable(lambda: connect(conninfo))
