import json
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy
from ledger.records.importer import Rejected

DISK = [{"type": "disk", "id": "1"}]
HOST = [{"type": "host", "id": "h1", "access": "none"}]
ONE = [{"type": "Move", "entity": {"type": "host", "id": "h1"}, "at_most": 1}]


def _blocker(ledger: Ledger, **terms: Any) -> dict[str, Any]:
    with pytest.raises(EntityBusy) as caught:
        ledger.plan("Move", job="new", **terms)
    (blocker,) = caught.value.facts["blockers"]
    return dict(blocker)


@pytest.mark.parametrize("terms", [{"entities": DISK}, {"entities": HOST, "limits": ONE}])
def test_a_refusal_stays_the_same_while_progress_moves(ledger: Ledger, terms: dict[str, Any]) -> None:
    """Each caller is told how far the blocker is now; on record it is refused once, without progress."""
    ledger.plan("Move", job="old", entities=DISK + HOST)
    assert _blocker(ledger, **terms)["progress"] is None
    ledger.progress("old", done=3, total=12, unit="GiB")
    told = _blocker(ledger, **terms)
    assert told["progress"] == {"percent": 25.0, "done": 3, "total": 12, "unit": "GiB", "message": None}
    ledger.progress("old", 80)
    assert _blocker(ledger, **terms)["progress"]["percent"] == 80

    assert [entry.event.name for entry in ledger.history("new")] == ["refused"]
    (stored,) = ledger.job("new").evidence["blockers"]
    assert stored == {name: said for name, said in told.items() if name != "progress"}


def test_progress_of_the_same_append_counts(ledger: Ledger) -> None:
    """A line is told what earlier lines of its page said, of a job planned by one of them and of one planned before."""
    rejected: list[Rejected] = []
    ledger.plan("Move", job="before", entities=[{"type": "disk", "id": "2"}])
    ledger.progress("before", message="copying")
    records = [
        {"job": "old", "event": "planned", "type": "Move", "entities": DISK},
        {"job": "old", "event": "progressed", "percent": 40},
        {"job": "before", "event": "progressed", "percent": 60},
        {"job": "new", "event": "planned", "type": "Move", "entities": [*DISK, {"type": "disk", "id": "2"}]},
    ]
    ledger.import_records((json.dumps(said).encode() for said in records), admit=True, on_reject=rejected.append)
    blockers = {found["job"]: found for found in rejected[0].error.facts["blockers"]}
    assert {job: (found["progress"]["percent"], found["progress"]["message"]) for job, found in blockers.items()} == {
        "old": (40, None),
        "before": (60, "copying"),
    }
