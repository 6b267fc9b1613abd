import pytest

from ledger.application import Ledger
from ledger.asking.fitting import fitting
from ledger.errors import MalformedFilter

WEB, DISK = {"type": "vm", "id": "web 01"}, {"type": "disk", "id": "d1"}


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """A build with a part below it, a removal that failed, and a backup that is to be cancelled."""
    ledger.plan("Start", job="first")
    ledger.plan("Build", job="a", actor="ann", entities=[WEB], children=[{"job": "a/b", "type": "Copy"}])
    ledger.plan("Remove", job="r", actor="bob", entities=[DISK])
    ledger.start("r", executor="agent")
    ledger.fail("r", residue=True)
    ledger.plan("Backup", job="k", actor="bob")
    ledger.cancel("k")
    return ledger


@pytest.mark.parametrize(
    ("which", "jobs"),
    [
        ("", ["a", "a/b", "r", "k"]),
        ("type:Build,Copy", ["a", "a/b"]),
        ("-type:Build,Copy", ["r", "k"]),
        ("outcome:failed", ["r"]),
        ("actor:bob -outcome:failed", ["k"]),
        ('entity:"vm/web 01"', ["a"]),
        ("entity:disk/d1", ["r"]),
        ("under:a", ["a", "a/b"]),
        ("-under:a job:a,r", ["r"]),
        ("executor:agent", ["r"]),
        ("is:cancel_requested,residue", ["r", "k"]),
        ("is:on_hold", []),
    ],
)
def test_a_difference_is_narrowed_by_a_filter(told: Ledger, which: str, jobs: list[str]) -> None:
    later = told.as_of(told.position())
    opened = told.as_of(1).diff(later, fitting(which, later)).opened
    assert [change.after.job for change in opened] == jobs


@pytest.mark.parametrize(
    "which", ["event:planned", "before:-2h", "type:Build text:disk", "is:verdict", "is:on_hold,revised"]
)
def test_a_term_about_events_is_refused(told: Ledger, which: str) -> None:
    with pytest.raises(MalformedFilter, match="is about events"):
        fitting(which, told.as_of(1))
