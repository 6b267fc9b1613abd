from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.domain.entities import EntityRef


def test_a_snapshot_is_found_through_its_job(ledger: Ledger) -> None:
    """What a job made is named by its job, holds nothing up, and leads back to the job that made it."""
    ledger.plan("Snapshot", job="snap", entities=[{"type": "disk", "id": "d", "access": "shared"}])
    ledger.start("snap")
    ledger.succeed("snap", {"size": 7}, products=[{"type": "snapshot", "id": "s1"}])

    made = [entity for entity in ledger.job("snap").entities if entity["role"] == "product"]
    assert made == [{"type": "snapshot", "id": "s1", "role": "product", "access": "none"}]
    assert not ledger.busy("snapshot/s1").busy
    assert [view.job for view in ledger.jobs(JobFilter(entity=EntityRef.parse("snapshot/s1")))] == ["snap"]
