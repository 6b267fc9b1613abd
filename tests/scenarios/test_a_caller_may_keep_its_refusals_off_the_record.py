import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy

VM = [{"type": "vm", "id": "1"}]


def test_a_caller_may_keep_its_refusals_off_the_record(ledger: Ledger) -> None:
    """It is told what is in the way as ever, and nothing is written; what is admitted is on record as ever."""
    ledger.plan("Run", job="old", entities=VM)
    with pytest.raises(EntityBusy, match=r"Job new must wait for old \(on vm/1, exclusive\)") as caught:
        ledger.plan("Run", job="new", entities=VM, record_refusal=False)
    assert [blocker["job"] for blocker in caught.value.facts["blockers"]] == ["old"]
    assert ledger.position() == 1
    ledger.succeed("old")
    assert ledger.plan("Run", job="new", entities=VM, record_refusal=False).position == 3


def test_a_refusal_on_record_stays_there(ledger: Ledger) -> None:
    """Asked again off the record, by the same plan or another, it is neither repeated nor taken back."""
    ledger.plan("Run", job="old", entities=VM)
    with pytest.raises(EntityBusy):
        ledger.plan("Run", job="new", entities=VM)
    for kind in ("Run", "Stop"):
        with pytest.raises(EntityBusy):
            ledger.plan(kind, job="new", entities=VM, record_refusal=False)
    assert [entry.event.name for entry in ledger.history("new")] == ["refused"]
    assert ledger.job("new").type == "Run"
