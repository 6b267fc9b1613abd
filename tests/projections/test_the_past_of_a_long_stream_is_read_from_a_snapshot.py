"""A job as it was is folded from the last of the snapshots that the views keep of a long stream."""

from collections.abc import Sequence
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.domain.entities import EntityRef
from ledger.domain.events import RecordedEvent
from ledger.domain.values import parse_time
from ledger.errors import JobNotFound
from ledger.store.streams import read_page
from projections.inline.job_status import SNAPSHOT_EVENTS
from projections.queries import past as past_queries
from projections.queries.past import FOLD_EVENTS_MAX
from projections.queries.remembered import Memory
from tests.projections.remembering import timeless
from tests.store.long import make_long, second, tell

VERSIONS = (1, 127, 128, 129, 511, 512, 513, 700, 1_023, 1_024, 1_025, 1_300)
PAST, NEXT = {"type": "vm", "id": "past"}, {"type": "vm", "id": "next"}


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """A job of 1,300 events that lets one entity go and takes another, in the shadow of a short one."""
    limits = [{"type": "Copy", "entity": {"type": "host", "id": "h"}, "at_most": 9}]
    ledger.plan("Copy", job="short", entities=[{"type": "disk", "id": "d", "access": "shared"}])
    make_long(ledger, "long", 300, entities=[PAST, {"type": "disk", "id": "d", "access": "shared"}], limits=limits)
    tell(
        ledger,
        {"job": "long", "event": "detached", "entities": [PAST], "at": second(300)},
        {"job": "long", "event": "attached", "entities": [NEXT], "at": second(301)},
    )
    tell(
        ledger, *({"job": "long", "event": "progressed", "percent": n % 100, "at": second(n)} for n in range(302, 1300))
    )
    assert ledger.job("long").version == VERSIONS[-1]
    return ledger


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions of the events that are folded."""
    versions: list[int] = []
    honest = Memory.take

    def take(self: Memory, entry: Any) -> None:
        versions.append(entry.event.version)
        honest(self, entry)

    monkeypatch.setattr(Memory, "take", take)
    return versions


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_as_if_it_were_folded_from_its_beginning(
    told: Ledger, monkeypatch: pytest.MonkeyPatch, taken: list[int], version: int
) -> None:
    """At every version, with a page and a snapshot's worth of events at most."""
    as_of = told.as_of(version + 1)

    def ask() -> tuple[Any, ...]:
        jobs = as_of.jobs(JobFilter(entity=EntityRef(type="vm", id="past")))
        busy = as_of.busy_all(["vm/past", "vm/next", "disk/d"])
        return timeless(as_of.job("long")), [[view.job for view in it.jobs] for it in busy], [it.job for it in jobs]

    shown = timeless(as_of.job("long"))
    assert len(taken) <= FOLD_EVENTS_MAX + SNAPSHOT_EVENTS
    answers = ask()
    monkeypatch.setattr(past_queries, "FOLD_EVENTS_MAX", 10_000)
    assert ask() == answers
    assert answers[0] == shown
    assert answers[0]["version"] == version
    assert answers[1] == [["long"], [], ["short", "long"]] if version <= 300 else [[], ["long"], ["short", "long"]]
    assert answers[2] == ["long"]


def test_what_had_occurred_is_read_page_by_page(told: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the callers' clocks, an event that was told late may count before others."""
    told.record({"job": "long", "event": "progressed", "percent": 99, "at": second(400)})
    as_of = told.as_of(second(500), occurred=True)
    pages: list[int] = []
    _spy_on_pages(monkeypatch, pages)

    assert as_of.job("long").as_json()["progress"]["percent"] == 99
    assert max(pages) <= FOLD_EVENTS_MAX
    assert [entry.event.version for entry in as_of.history("long", after=500)] == [*range(500, 502), 1_301]


def test_a_difference_is_told_from_snapshots(told: Ledger, taken: list[int]) -> None:
    """At both moments."""
    told.suspend("long")
    found = told.as_of(1_100).diff(told.as_of(told.position()))

    assert [(it.after.job, it.after.phase) for it in found.changed] == [("long", "suspended")]
    assert len(taken) <= 2 * (FOLD_EVENTS_MAX + SNAPSHOT_EVENTS)


def test_its_history_is_read_in_pages_from_any_position(told: Ledger) -> None:
    """In order, from where a page ended, up to the moment where one is asked about."""
    whole = told.history("long")

    assert _versions(whole) == [*range(1, VERSIONS[-1] + 1)]
    assert told.history("long", after=701, limit=50) == whole[700:750]
    assert told.history("long", after=701) == whole[700:]
    assert told.history("long", after=0, limit=2) == whole[:2]
    assert told.history("long", after=10**9) == []
    assert list(told.events(1_299, job="long")) == whole[1_298:]
    assert _versions(told.as_of(800).history("long", after=701, limit=200)) == [*range(701, 800)]
    assert told.as_of(800).history("long", after=801) == []
    for asked in (told, told.as_of(800)):
        with pytest.raises(JobNotFound):
            asked.history("nobody", after=5)
    assert parse_time(second(700)) == whole[700].event.occurred_at


def _versions(events: Sequence[RecordedEvent]) -> list[int]:
    return [entry.event.version for entry in events]


def _spy_on_pages(monkeypatch: pytest.MonkeyPatch, sizes: list[int]) -> None:
    def spy(*asked: Any) -> Any:
        page = read_page(*asked)
        sizes.append(len(page))
        return page

    monkeypatch.setattr(past_queries, "read_page", spy)
