import pytest

from ledger.application import Ledger
from ledger.domain.retention import Retention
from ledger.errors import EntityBusy

VM = [{"type": "vm", "id": "1"}]


def test_a_refused_job_expires_too(ledger: Ledger) -> None:
    """By itself, also where it would have been a child: it is none, and keeps no tree."""
    ledger.plan("Run", job="holder", entities=VM)
    ledger.plan("Run", job="root")
    for job, parent in (("child", "root"), ("alone", None)):
        with pytest.raises(EntityBusy):
            ledger.plan("Run", job=job, parent=parent, entities=VM)
    assert {tree.root for tree in ledger.expire(Retention(keep_for=0))} == {"child", "alone"}
    assert {view.job for view in ledger.jobs()} == {"holder", "root"}
    with pytest.raises(EntityBusy):
        ledger.plan("Walk", job="alone", entities=VM)
    assert {view.job for view in ledger.jobs()} == {"holder", "root", "alone"}
    ledger.expire(Retention(keep_for=0))
    ledger.succeed("holder")
    ledger.plan("Run", job="child", parent="root", entities=VM)
    assert {view.job for view in ledger.jobs()} == {"child", "holder", "root"}
