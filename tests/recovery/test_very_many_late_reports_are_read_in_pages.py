"""What a fenced engine went on to report for long is read page by page, and of each kind the last is kept."""

import pytest

from ledger.application import Ledger
from ledger.recovery.knowledge import late_reports
from ledger.store import streams
from tests.store.long import progress, tell


def test_of_each_kind_the_last_is_kept_in_order(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages there are, of however many jobs."""
    monkeypatch.setattr(streams, "PAGE_OF_EACH_MAX", 7)
    monkeypatch.setattr(streams, "PAGE_STREAMS_MAX", 2)
    fenced = {"owner": "engine", "epoch": 1}
    for job in "abc":
        ledger.plan("Copy", job=job, owner="engine", epoch=1)
    tell(ledger, {"event": "owner_started", "owner": "engine", "epoch": 2})
    ledger.plan("Copy", job="none")
    for job in "abc":
        tell(ledger, {"job": job, "event": "succeeded", **fenced})
        tell(ledger, *(progress(job, number, **fenced) for number in range(1, 60)))
        for name in ("x", "y", "x"):
            tell(ledger, {"job": job, "event": "started", "executor": "e", "external_id": job + name, **fenced})
    told = list(ledger.lates(["a", "none", "b", "c"]))
    assert [entry.event.version for entry in told if entry.event.job == "c"] == [*range(2, 64)]

    found = late_reports(ledger.unsettled().jobs, told)

    assert found.keys() == {"a", "b", "c"}
    assert [(it.event, it.external_id) for it in found["b"]] == [
        ("succeeded", None), ("progressed", None), ("started", "bx"), ("started", "by"),
    ]  # fmt: skip
    assert found["b"][1].position == max(it.position for it in told if it.event.job == "b") - 2
