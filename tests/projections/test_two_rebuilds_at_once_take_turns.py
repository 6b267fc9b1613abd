from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.application import Ledger
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.projections.conftest import Rows


def test_two_rebuilds_at_once_take_turns(
    ledger: Ledger, superuser: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebuilds and comparisons that start together neither fail nor leave a wrong row."""
    monkeypatch.setattr(rebuild, "PAGE_EVENTS_MAX", 5)
    for number in range(30):
        ledger.plan("Build", job=f"j{number}", entities=[{"type": "vm", "id": str(number)}])
        ledger.start(f"j{number}")
    before = rows("job_status"), rows("running_jobs")

    def build() -> int:
        with connect(superuser) as connection:
            return rebuild.rebuild(connection)

    def compare() -> dict[str, int]:
        with connect(superuser) as connection:
            return rebuild.compare(connection)

    with ThreadPoolExecutor(4) as pool:
        rebuilt = [pool.submit(build) for _ in range(3)]
        compared = pool.submit(compare)
        assert [done.result() for done in rebuilt] == [60, 60, 60]
        assert set(compared.result().values()) == {0}
    assert (rows("job_status"), rows("running_jobs")) == before
