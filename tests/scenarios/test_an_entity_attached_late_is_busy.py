import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy

HOST = [{"type": "host", "id": "h1", "role": "destination"}]


def test_an_entity_attached_late_is_busy(ledger: Ledger) -> None:
    """From the attach on it is held, refused to others, and free again with the end of the job."""
    ledger.plan("Migrate", job="a", entities=[{"type": "vm", "id": "1"}])
    ledger.plan("Migrate", job="b", entities=[{"type": "vm", "id": "2"}])
    ledger.start("a")
    assert not ledger.busy("host/h1").busy
    ledger.attach("a", HOST)
    assert [view.job for view in ledger.busy("host/h1").jobs] == ["a"]

    position = ledger.position()
    with pytest.raises(EntityBusy):
        ledger.attach("b", HOST)
    assert ledger.position() == position
    assert [entity["type"] for entity in ledger.job("b").entities] == ["vm"]

    ledger.succeed("a")
    ledger.attach("b", HOST)
    assert [view.job for view in ledger.busy("host/h1").jobs] == ["b"]
