"""A ledger went back: whoever waits, asks from a place, or says again what was not answered, is told of that."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.domain.cursor import Cursor
from ledger.domain.decisions import Disposition
from ledger.errors import BadInput, JobNotFound, LedgerError, OutcomeUnknown, PositionAhead
from ledger.service.assembly import assemble
from tests.store.proxy import Proxy
from tests.store.regrown import GrowOn, backup, six_plans

DISK = {"type": "disk", "id": "d", "access": "exclusive"}
COMMITTED = b"C\0\0\0\x0bCOMMIT"  # by which the server tells that it is so
Restore = Callable[[GrowOn], None]


@pytest.fixture
def knowing(server: str, superuser: str, conninfo: str) -> Iterator[tuple[Ledger, Restore]]:
    """A process that knows positions 1 to 3, of which a backup has the first, and what restores that."""
    with assemble(conninfo) as ledger:
        ledger.plan("T", job="base")
        with backup(server, superuser) as restore:
            ledger.plan("T", job="x", entities=[DISK])
            ledger.start("x", executor="e", external_id="1")
            yield ledger, restore


WAITS: dict[str, Callable[[Ledger], Any]] = {
    "a job to close": lambda ledger: ledger.wait("x", 60),
    "an entity to be free": lambda ledger: ledger.wait_free("disk/d", 60),
}


@pytest.mark.parametrize("what", WAITS)
def test_a_wait_does_not_end_since_what_it_waits_for_is_lost(
    knowing: tuple[Ledger, Restore], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that has looked before, nor one that begins then."""
    monkeypatch.setattr("ledger.store.outage.STALE_SECONDS_MAX", 0.2)
    ledger, restore = knowing
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(WAITS[what], ledger)
        while not ledger._feed.follower._waiting:
            pass
        restore(six_plans)
        with pytest.raises(PositionAhead):
            waiting.result()
    with pytest.raises(PositionAhead):
        WAITS[what](ledger)
    ledger.accept_loss()
    assert not ledger.wait_free("disk/d", 60).busy
    with pytest.raises(JobNotFound):
        ledger.wait("x", 60)


QUESTIONS: dict[str, Callable[[Ledger, int], Any]] = {
    "as of": lambda ledger, place: ledger.as_of(place).position,
    "events": lambda ledger, place: list(ledger.events(place)),
    "events of a job": lambda ledger, place: list(ledger.events(place, job="new0")),
    "a job's history": lambda ledger, place: ledger.history("new0", after=place),
    "a job's history then": lambda ledger, place: ledger.as_of(6).history("new0", after=place),
    "a search up to it": lambda ledger, place: list(ledger.search("", upto=place).entries()),
    "a page before it": lambda ledger, place: ledger.search("").page(before=place).entries,
    "a page after it": lambda ledger, place: ledger.search("").page(after=place).entries,
    "a watch": lambda ledger, place: next(ledger.watch(place)).position,
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_cursor_is_proved_in_each_question(knowing: tuple[Ledger, Restore], conninfo: str, what: str) -> None:
    """By its event; a bare number is believed, and what is no place is told in one sentence."""
    ledger, restore = knowing
    lost = ledger.position()
    restore(six_plans)
    ask = QUESTIONS[what]
    with assemble(conninfo) as fresh:
        with pytest.raises(PositionAhead, match=f"event {lost.event_id} at position 3"):
            ask(fresh, lost)
        there = next(fresh.events(int(lost) - 1)).cursor
        assert ask(fresh, there) == ask(fresh, int(there))
        for odd in (Cursor(-1, "x"), Cursor(3, 7), Cursor(1 << 70)):  # type: ignore[arg-type]
            with pytest.raises(BadInput):
                ask(fresh, odd)


def test_what_is_read_page_by_page_goes_on_behind_nothing_else(
    knowing: tuple[Ledger, Restore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.store.feed.PAGE_EVENTS_MAX", 2)
    ledger, restore = knowing
    read = ledger.events()
    assert [next(read).position for _ in range(2)] == [1, 2]
    restore(six_plans)
    with pytest.raises(PositionAhead):
        next(read)


@pytest.mark.parametrize(
    "kept",
    [["12:abc"], "12:abc", b"12", 12, None, [None], [1.5], [True], [-1], [1 << 70], [Cursor(1, 7)]],  # type: ignore[arg-type]
)
def test_what_is_no_place_that_was_kept_is_told(ledger: Ledger, kept: Any) -> None:
    for ask in (ledger.lost, ledger.accept_loss):
        with pytest.raises(BadInput, match=r"\.$"):
            ask(kept)


def test_a_bare_number_that_was_kept_is_believed(ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    assert not ledger.lost([0, 1])
    assert ledger.lost([12]).as_json() == {
        "lost": True,
        "cursors": ["12"],
        "receipts": [],
        "end": ledger.position().text,
    }
    ledger.accept_loss([12])
    ledger.accept_loss([12])
    assert ledger.position() == 2


def test_a_loss_that_is_accepted_twice_is_recorded_once(knowing: tuple[Ledger, Restore], conninfo: str) -> None:
    """By the process that knew of it, and by whoever kept no more than cursors; who tells of other receipts adds."""
    ledger, restore = knowing
    kept = [entry.cursor for entry in ledger.events(1)]
    with assemble(conninfo) as other:
        other.progress("x", 50)
        before = other.lost()
        restore(six_plans)
        assert not before
        assert ledger.accept_loss(kept[:1], actor="ann").cursors == kept
        assert ledger.accept_loss(kept[:1], actor="ann").cursors == kept[:1]
        assert ledger.position() == 8
        for _ in range(2):
            with assemble(conninfo) as fresh:
                assert fresh.accept_loss(kept, reason="restored").cursors == kept
        assert ledger.position() == 8
        assert [receipt.job for receipt in other.accept_loss().receipts] == ["x"]
        other.accept_loss(kept)
        assert ledger.position() == 9
    assert [entry.position for entry in ledger.events() if entry.event.name == "loss_accepted"] == [8, 9]


def test_an_acceptance_that_was_not_answered_is_said_again(
    server: str, superuser: str, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.store.datastore.CONNECT_SECONDS_MAX", 1)
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger, backup(server, superuser) as restore:
        ledger.plan("T", job="x")
        restore(six_plans)
        assert len(ledger.lost().receipts) == 1
        with pytest.raises(PositionAhead):
            ledger.position()
        proxy.cut_on, proxy.away_once_cut = COMMITTED, True
        with pytest.raises(OutcomeUnknown) as caught:
            ledger.accept_loss()
        proxy.cut_on, proxy.reachable = None, True
        assert [receipt.job for receipt in caught.value.again().receipts] == ["x"]
        assert ledger.position() == 7
        assert not ledger.lost()


@pytest.fixture
def unanswered(
    server: str, superuser: str, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ledger, Restore, OutcomeUnknown, list[str]]]:
    """A dispatch whose executor took the call, and then the database was away; with the tokens of all calls."""
    monkeypatch.setattr("ledger.store.datastore.CONNECT_SECONDS_MAX", 1)
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        ledger.plan("T", job="j")
        calls: list[str] = []

        def call(token: str) -> str:
            calls.append(token)
            proxy.reachable = False
            proxy.hang_up()
            return "task-1"

        with backup(server, superuser) as restore:
            with pytest.raises(OutcomeUnknown) as caught:
                ledger.dispatch("j", call, executor="agent")
            proxy.reachable = True
            yield ledger, restore, caught.value, calls


def _assert_told(error: LedgerError, token: str) -> None:
    assert f"Executor agent was called for job j under the token {token} and took it as 'task-1'" in str(error)
    told = {"job": "j", "executor": "agent", "token": token, "external_id": "task-1"}
    assert {**error.facts, **told} == error.facts


def test_a_call_that_was_made_is_put_on_record_whole(
    unanswered: tuple[Ledger, Restore, OutcomeUnknown, list[str]],
) -> None:
    """Where the ledger went back behind that it was about to be made, that too."""
    ledger, restore, error, calls = unanswered
    restore(six_plans)
    _assert_told(error, calls[0])
    with pytest.raises(PositionAhead) as caught:
        error.again()
    _assert_told(caught.value, calls[0])
    ledger.accept_loss()
    for _ in range(2):
        assert error.again().version == 3
    job = ledger.job("j")
    assert (job.executor, job.token, job.external_id, len(calls)) == ("agent", calls[0], "task-1", 1)


OTHERS: dict[str, GrowOn] = {
    "called for it too": lambda other: other.dispatch("j", lambda token: "task-2", executor="agent"),
    "are calling for it": lambda other: other.submit("j", "agent", "theirs"),
    "asked for its cancelling": lambda other: other.cancel("j"),
}


@pytest.mark.parametrize("others", OTHERS)
def test_a_call_that_cannot_be_put_on_record_is_told_with_its_token(
    unanswered: tuple[Ledger, Restore, OutcomeUnknown, list[str]], others: str
) -> None:
    """However the job went on without it: so that its task can be found and ended."""
    ledger, restore, error, calls = unanswered
    restore(OTHERS[others])
    ledger.accept_loss()
    for _ in range(2):
        with pytest.raises(LedgerError) as caught:
            error.again()
        _assert_told(caught.value, calls[0])
    assert len(calls) == 1
    assert ledger.job("j").external_id != "task-1"


def test_a_call_for_a_job_that_was_closed_since_is_kept(
    unanswered: tuple[Ledger, Restore, OutcomeUnknown, list[str]],
) -> None:
    """As reports that came too late, with its token and its task."""
    ledger, restore, error, calls = unanswered
    restore(lambda other: other.abandon("j"))
    ledger.accept_loss()
    assert error.again().disposition is Disposition.LATE
    sent, taken = (entry.event.fact.body["report"] for entry in ledger.lates(["j"]))
    assert (sent["token"], taken["external_id"], len(calls)) == (calls[0], "task-1", 1)
