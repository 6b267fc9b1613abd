"""The next append to a job with very many events reads as few of them as one to a new job."""

from itertools import chain
from typing import Any

import pytest

from ledger.appending.recorder import Recorder
from ledger.application import Ledger
from ledger.domain.content import SHORT_EVENTS_MAX, Told
from ledger.service.assembly import assemble
from ledger.store.views import Session
from projections.inline.views import InlineViews
from tests.store.long import counting, make_long, progress, tell


def test_a_fresh_process_reads_the_first_events_alone(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen of 600, and none of them again."""
    make_long(ledger, "long", 600)
    with assemble(conninfo) as fresh, counting(monkeypatch) as read:
        assert fresh.progress("long", done=601).version == 601
        assert sorted(read) == [*range(1, SHORT_EVENTS_MAX + 1)]
        read.clear()
        for number in range(602, 610):
            assert fresh.record(progress("long", number)).version == number
        assert read == []


def test_what_is_of_later_than_anything_told_is_looked_for_nowhere(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that knows how far a job has come asks no more than of a new one."""
    make_long(ledger, "long", 100)
    asked: list[Any] = []
    honest = InlineViews.told

    def spy(session: Session, sought: Any) -> Any:
        asked.append(sought)
        return honest(session, sought)

    monkeypatch.setattr(InlineViews, "told", staticmethod(spy))
    with assemble(conninfo) as fresh:
        for number in range(100, 110):
            fresh.progress("long", done=number)
        assert len(asked) == 1
        fresh.record(progress("long", 100))
        assert len(asked) == 2


def test_what_others_appended_meanwhile_is_recalled_where_it_is_much(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few events are folded on, many are not read."""
    make_long(ledger, "long", 100)
    with assemble(conninfo) as other:
        tell(other, *(progress("long", number) for number in range(100, 110)))
        with counting(monkeypatch) as read:
            assert ledger.progress("long", done=110).version == 111
            assert sorted(read) == [*range(101, 111)]
        tell(other, *(progress("long", number) for number in range(200, 300)))
        with counting(monkeypatch) as read:
            assert ledger.progress("long", done=301).version == 212
            assert read == []
        assert ledger.job("long").progress == other.job("long").progress


def test_a_short_stream_is_read_whole(ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to sixteen events, as ever."""
    make_long(ledger, "short", SHORT_EVENTS_MAX)
    with assemble(conninfo) as fresh, counting(monkeypatch) as read:
        assert fresh.progress("short", done=17).version == SHORT_EVENTS_MAX + 1
        assert sorted(read) == [*range(1, SHORT_EVENTS_MAX + 1)]


def test_what_is_remembered_does_not_grow(ledger: Ledger) -> None:
    """Of a stream of hundreds of events no more is kept in memory than the first sixteen have said."""
    make_long(ledger, "long", 300)
    for number in range(300, 320):
        ledger.record(progress("long", number, id=f"n{number}"))

    assert _remembered(ledger._recorder, "job:long") == SHORT_EVENTS_MAX


def test_an_owner_that_started_very_often_is_known_by_its_newest_event(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts anew, is fenced, and what was told before is unchanged, without its stream being read."""
    tell(ledger, *({"event": "owner_started", "owner": "o", "epoch": epoch} for epoch in range(1, 201)))
    with assemble(conninfo) as fresh, counting(monkeypatch) as read:
        assert fresh.record({"event": "owner_started", "owner": "o", "epoch": 150}).version == 150
        assert sorted(read) == [*range(1, SHORT_EVENTS_MAX + 1), 150, 200]
        with fresh.start_owner("o") as begun:
            assert begun.owner is not None
            assert begun.owner.epoch == 201
        assert fresh.newest_epoch("o") == 201
        assert fresh.owner_states(["o", "nobody"])["o"].fences(200)


def _remembered(recorder: Recorder, stream: str) -> int:
    told: Told = recorder._shelf._streams[stream].told
    heard = told._heard.by_id if told._heard else {}
    return len({*chain(heard, (event.id for event in told._fresh))})
