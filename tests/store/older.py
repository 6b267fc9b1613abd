"""The ledger as it was before a release."""

from collections.abc import Sequence

from ledger.service.readiness import migrator
from ledger.store.migrate import Migration


def migrations_before(schema: str, number: int) -> Sequence[Migration]:
    """The migrations of this release but for those of a schema from a number on."""
    return [migration for migration in migrator().migrations if (migration.schema, migration.number) < (schema, number)
            or migration.schema != schema]  # fmt: skip
