import pytest

from ledger.application import Ledger
from ledger.domain.retention import Retention
from ledger.errors import EntityBusy

VM = [{"type": "vm", "id": "1"}]
AT_ONCE = Retention(keep_for=0)


def test_a_job_that_comes_back_expires_anew(ledger: Ledger) -> None:
    """Refused and expired, then refused once more, then admitted: each time it leaves the live views again."""
    ledger.plan("Run", job="holder", entities=VM)
    for _ in range(2):
        with pytest.raises(EntityBusy):
            ledger.plan(
                "Run", job="again", actor=f"caller-{ledger.position()}", params={"n": ledger.position()}, entities=VM
            )
        assert {view.job for view in ledger.jobs()} == {"holder", "again"}
        assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["again"]
    ledger.succeed("holder")
    ledger.plan("Run", job="again", entities=VM)
    ledger.succeed("again")

    assert {tree.root for tree in ledger.expire(AT_ONCE)} == {"holder", "again"}
    assert list(ledger.jobs()) == []
    assert ledger.job("again").flags == ["expired"]
    assert ledger.expire(AT_ONCE) == []
