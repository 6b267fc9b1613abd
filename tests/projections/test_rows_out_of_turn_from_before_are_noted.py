import psycopg
import pytest

from ledger.application import Ledger
from ledger.service.readiness import migrator
from ledger.store.reading import read_all
from projections.inline import rebuild, views
from projections.inline.damaged import damaged_rows
from tests.integrity.wounds import STARTED, owner_of, put


def test_rows_out_of_turn_from_before_are_noted(
    superuser: str, ledger: Ledger, admin: psycopg.Connection[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an older release took in as it came, the migration finds: the job shows as damaged, others as before."""
    ledger.plan("T", job="a")
    ledger.plan("T", job="b")
    with owner_of(superuser) as owner:
        put(owner, "job:a", 77, "job.started.v1", STARTED)
        put(owner, "job:a", 78, "job.succeeded.v1", STARTED)
    with monkeypatch.context() as older:
        older.setattr(views, "read_in_turn", read_all)
        ledger.start("b", executor="e", external_id="1")
    assert (ledger.job("a").phase, ledger.job("a").flags) == ("closed", [])
    admin.execute("DROP TABLE projections.damaged")
    admin.execute("DELETE FROM ledger.migrations WHERE schema = 'projections' AND number = 9")

    assert [migration.name for migration in migrator().migrate(superuser)] == ["damaged"]

    assert [(row.position, row.version) for row in damaged_rows(admin, 9)] == [(3, 77)]
    assert (ledger.job("a").flags, ledger.job("b").flags) == (["damaged"], [])
    assert rebuild.compare(admin)["job_status"] > 0, "what it had made of them differs, and is told"
    rebuild.rebuild(admin)
    assert (ledger.job("a").phase, ledger.job("a").flags) == ("planned", ["damaged"])
    assert rebuild.compare(admin) == {"job_status": 0, "running_jobs": 0, "told": 0}
