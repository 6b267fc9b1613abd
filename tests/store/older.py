"""The ledger as the release before guards, damage and topics had it."""

from collections.abc import Callable

from psycopg import Connection
from psycopg.rows import DictRow

from ledger.service.readiness import migrator
from ledger.store.inventory import Inventory
from ledger.store.migrate import Migrator

LAST = {"ledger": 4, "projections": 6, "history": 3}


class Unmended(Migrator):
    """A migrator that applies what is pending and holds nothing against the inventory."""

    def _lacking(self, connection: Connection[DictRow]) -> list[str]:
        return []

    def _put_back(self, connection: Connection[DictRow], there: Inventory, tell: Callable[[str], None]) -> None:
        pass

    def _mend(self, connection: Connection[DictRow], tell: Callable[[str], None]) -> Inventory:
        return {}


class _Older(Unmended):
    """One that grants nothing either, since what is granted today is not there yet."""

    def _grant(self, connection: Connection[DictRow]) -> None:
        pass


def older_release() -> Migrator:
    """The migrations of that release."""
    return _Older([migration for migration in migrator().migrations if migration.number <= LAST[migration.schema]])
