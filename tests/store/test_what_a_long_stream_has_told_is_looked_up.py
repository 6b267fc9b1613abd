"""Whatever was said of a long stream is unchanged when it is said again, by the same process or by a fresh one."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger import clock
from ledger.application import Ledger
from ledger.domain.decisions import Disposition
from ledger.domain.values import parse_time
from ledger.errors import Contradiction
from ledger.service.assembly import assemble
from tests.store.long import Record, make_long, progress, second, tell

UNCHANGED, LATE, RECORDED = Disposition.UNCHANGED, Disposition.LATE, Disposition.RECORDED


@pytest.fixture(params=["warm", "fresh"])
def asked(request: pytest.FixtureRequest, ledger: Ledger, conninfo: str) -> Iterator[Ledger]:
    """Who is told again: the ledger that was told before, or another process of it."""
    make_long(ledger, "long", 60)
    if request.param == "warm":
        yield ledger
        return
    with assemble(conninfo) as fresh:
        yield fresh


def test_the_same_content_at_the_same_time(asked: Ledger) -> None:
    """Alone, and in a batch with what is new."""
    again = asked.record(progress("long", 40))
    assert (again.disposition, again.version, again.position) == (UNCHANGED, 41, 41)
    answers = tell(asked, progress("long", 41), progress("long", 60), progress("long", 60), progress("long", 5))
    assert [(it.disposition, it.version) for it in answers] == [
        (UNCHANGED, 42), (RECORDED, 61), (UNCHANGED, 61), (UNCHANGED, 6),
    ]  # fmt: skip


def test_the_same_content_at_another_time_is_new(asked: Ledger) -> None:
    """Progress counts with its time, whether that was said or is now."""
    assert asked.record(progress("long", 40, at=second(41))).disposition is RECORDED
    assert asked.record(progress("long", 40, at=None) | {"at": second(99)}).disposition is RECORDED
    assert asked.progress("long", done=40, total=10_000).disposition is RECORDED


def test_the_same_content_now_as_somebody_said_it_of_this_very_moment(
    asked: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time to come is now once it has come."""
    tell(asked, progress("long", 3, at="2027-01-01T00:00:00Z"), *(progress("long", n) for n in range(60, 80)))
    monkeypatch.setattr(clock, "now", lambda: parse_time("2027-01-01T00:00:00Z"))

    assert asked.record({"job": "long", "event": "progressed", "done": 3, "total": 10_000}).version == 61
    assert asked.record({"job": "long", "event": "progressed", "done": 4, "total": 10_000}).disposition is RECORDED
    monkeypatch.setattr(clock, "now", lambda: parse_time("2026-12-31T00:00:00Z"))
    assert asked.record({"job": "long", "event": "progressed", "done": 3, "total": 10_000}).disposition is RECORDED


def test_an_id_names_one_transition(asked: Ledger) -> None:
    """With its content, and with the time where that is said."""
    asked.record(progress("long", 70, id="mine"))
    tell(asked, *(progress("long", number) for number in range(71, 120)))
    assert asked.record(progress("long", 70, id="mine")).version == 61
    untimed = {"job": "long", "event": "progressed", "done": 70, "total": 10_000, "id": "mine"}
    assert asked.record(untimed).disposition is UNCHANGED
    for other in (progress("long", 70, id="mine", done=71), progress("long", 70, id="mine", at=second(71))):
        with pytest.raises(Contradiction, match="id mine"):
            asked.record(other)


def test_a_late_report_is_kept_once_and_one_that_resolves_is_taken_once(asked: Ledger) -> None:
    """Both are told again as they were said, not as they are stored."""
    asked.lose("long")
    done: Record = {"job": "long", "event": "succeeded", "result": {"n": 1}}
    assert asked.record(done).disposition is RECORDED
    assert asked.record(done).disposition is UNCHANGED
    late: list[Record] = [{"job": "long", "event": "suspended", "at": second(number)} for number in range(40)]
    assert {it.disposition for it in tell(asked, *late)} == {LATE}
    assert [it.version for it in tell(asked, *late)] == [*range(63, 103)]
    assert asked.record(done).disposition is UNCHANGED
    assert asked.record({**done, "result": {"n": 2}}).disposition is LATE


def test_a_plan_and_what_was_told_first(asked: Ledger) -> None:
    """They are remembered."""
    plan: Record = {"job": "long", "event": "planned", "type": "Copy", "at": second(7)}
    assert [it.version for it in tell(asked, plan, progress("long", 15), progress("long", 16))] == [1, 16, 17]
    with pytest.raises(Contradiction):
        asked.record({**plan, "type": "Move"})


def test_a_refusal_that_was_told_before_is_so_still(ledger: Ledger, conninfo: str) -> None:
    """The same plan refused by the same holder, between many holds, is no event more."""
    ledger.plan("Copy", job="holder", entities=[{"type": "vm", "id": "1"}])
    asks: Record = {"job": "long", "event": "planned", "type": "Copy", "entities": [{"type": "vm", "id": "1"}]}
    other: Record = {**asks, "type": "Move"}
    with pytest.raises(Exception, match="must wait"):
        ledger.record(asks)
    for number in range(30):
        tell(ledger, {"job": "long", "event": ("hold_placed", "hold_lifted")[number % 2], "at": second(number)})
    with pytest.raises(Exception, match="must wait"):
        ledger.record(other)
    with assemble(conninfo) as fresh:
        position = fresh.position()
        for said in (asks, other):
            with pytest.raises(Exception, match="must wait"):
                fresh.record(said)
        assert fresh.position() == position
        fresh.succeed("holder")
        assert fresh.record(other).version == 33


def test_sixteen_and_more_events_of_one_append(ledger: Ledger) -> None:
    """A stream that grows long within an append knows all that this tells."""
    records: list[Any] = [{"job": "a", "event": "planned", "type": "Copy"}, *(progress("a", n) for n in range(1, 40))]
    answers = tell(ledger, *records, *records)

    assert [it.version for it in answers] == [*range(1, 41), *range(1, 41)]
    assert {it.disposition for it in answers[40:]} == {UNCHANGED}
