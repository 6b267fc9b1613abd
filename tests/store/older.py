"""The ledger as the release before guards, damage and topics had it."""

from ledger.service.readiness import migrator
from ledger.store.migrate import Migrator

LAST = {"ledger": 4, "projections": 6, "history": 3}


def older_release() -> Migrator:
    """The migrations of that release."""
    return Migrator([migration for migration in migrator().migrations if migration.number <= LAST[migration.schema]])
