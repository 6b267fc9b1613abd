from typing import Any

import pytest

from ledger.application import Ledger
from ledger.asking.answers import JobView
from ledger.domain.retention import Retention
from ledger.errors import JobNotFound

LAST_EVENT = ("flags", "version", "position", "last_event", "last_at")


def _without_last_event(view: JobView) -> dict[str, Any]:
    return {name: value for name, value in view._asdict().items() if name not in LAST_EVENT}


def test_an_expired_job_is_still_answered_in_full(ledger: Ledger) -> None:
    """By id and by tree it is as it was, marked expired; only an id that never was is not found."""
    ledger.plan("Whole", job="root", entities=[{"type": "vm", "id": "1"}], children=[{"job": "part", "type": "Part"}])
    ledger.progress("part", 50)
    ledger.succeed("part", {"n": 1}, products=[{"type": "image", "id": "i"}])
    ledger.fail("root", {"code": "E1", "message": "no"})
    before = {view.job: view for view in ledger.tree("root")}
    ledger.expire(Retention(keep_for=0))

    for view in (*ledger.tree("root"), ledger.job("root"), ledger.job("part")):
        was = before[view.job]
        assert view.flags == ["expired"]
        assert _without_last_event(view) == _without_last_event(was)
    assert [entry.event.name for entry in ledger.history("part")][-1] == "expired"
    with pytest.raises(JobNotFound):
        ledger.job("never")
