import pytest

from ledger.application import Ledger
from ledger.errors import MalformedFilter


def _found(ledger: Ledger, which: str, upto: int) -> list[tuple[int, int | None]]:
    page = ledger.search(which, upto=upto).page(oldest=True)
    assert page.position == upto
    return [(entry.position, entry.revised) for entry in page.entries]


def test_a_search_tells_history_as_it_stood(ledger: Ledger) -> None:
    """At each position it finds what it found when the ledger ended there, revisions included."""
    for job in ("a", "b"):
        ledger.plan("T", job=job)
        ledger.lose(job, {"asked": "agent"})
        ledger.resolve(job, "succeeded")
        ledger.dispute(job, {"seen": True})
        ledger.dispute(job, {"seen": "again"})
    with_marks = [(which, upto) for upto in range(1, 11) for which in ("type:T", "is:revised", "outcome:unknown")]
    whole = {which: ledger.search(which).page(oldest=True).entries for which, _ in with_marks}

    for which, upto in with_marks:
        stood = [(entry.position, entry.revised) for entry in whole[which] if entry.position <= upto]
        known = [(position, revised if revised and revised <= upto else None) for position, revised in stood]
        wanted = [entry for entry in known if which != "is:revised" or entry[1]]
        assert _found(ledger, which, upto) == wanted


def test_what_jobs_hold_later_is_not_told(ledger: Ledger) -> None:
    ledger.plan("T", job="a", entities=[{"type": "vm", "id": "v"}])
    ledger.attach("a", [{"type": "disk", "id": "d"}])

    (entry,) = ledger.search("event:planned", upto=1).page().entries
    assert [str(entity) for entity in entry.entities] == ["vm/v"]
    assert ledger.search("entity:disk/d", upto=1).page().entries == []


def test_how_long_jobs_took_is_told_as_it_stands_now(ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    with pytest.raises(MalformedFilter):
        ledger.search("type:T", upto=1).durations()
