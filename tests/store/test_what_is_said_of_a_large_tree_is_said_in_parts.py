"""A tree of more jobs than an append may speak of is cancelled, and leaves the live views, append after append."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest

from ledger import clock
from ledger.appending import judge, workspace
from ledger.appending.recorder import Attempt, Recorder
from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.domain import trees
from ledger.domain.commands import parse_transition
from ledger.domain.decisions import Disposition
from ledger.domain.events import RecordedEvent
from ledger.domain.retention import Retention
from ledger.errors import CancelRequested, IllegalTransition, OutcomeUnknown
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.store.controls import INSERT

AT_ONCE = Retention(keep_for=0)
ROOM, BRANCHES, LEAVES = 10, 4, 7
JOBS = 1 + BRANCHES * (1 + LEAVES)
EXPIRED = {"event": "expired", "policy": {"keep_for": 0}, "cause": "keep_for", "threshold": 0}


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an append speak of ten jobs of a tree."""
    monkeypatch.setattr(judge, "TREE_EVENTS_MAX", ROOM)
    monkeypatch.setattr(workspace, "TREE_EVENTS_MAX", ROOM)
    monkeypatch.setattr(workspace, "LEFT_MAX", ROOM + 1)


def _plan(ledger: Ledger, root: str = "r") -> list[str]:
    branches = [
        {
            "job": f"{root}/{branch}",
            "type": "Branch",
            "children": [{"job": f"{root}/{branch}/{leaf}", "type": "Leaf"} for leaf in range(LEAVES)],
        }
        for branch in range(BRANCHES)
    ]
    ledger.plan("Root", job=root, children=branches)
    return [view.job for view in ledger.tree(root)]


def _closed(ledger: Ledger, root: str = "r") -> list[str]:
    jobs = _plan(ledger, root)
    for job in reversed(jobs):
        ledger.succeed(job)
    return jobs


def _appends(entries: Sequence[RecordedEvent]) -> list[int]:
    """How many events each append has; all of one have the same time."""
    return [*Counter(entry.recorded_at for entry in entries).values()]


def _flagged(ledger: Ledger, flag: str) -> set[str]:
    return {view.job for view in ledger.jobs(JobFilter(expired=True)) if flag in view.flags}


@pytest.fixture
def killed_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let appends fail, without a trace, once so many were made."""
    really = Recorder._append

    def kill(appends: int) -> None:
        left = [appends]

        def append(self: Recorder, batch: Any, attempt: Attempt) -> Any:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return really(self, batch, attempt)

        monkeypatch.setattr(Recorder, "_append", append)

    yield kill
    monkeypatch.setattr(Recorder, "_append", really)


def _revive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(judge, "TREE_EVENTS_MAX", ROOM)
    monkeypatch.setattr(workspace, "TREE_EVENTS_MAX", ROOM)
    monkeypatch.setattr(workspace, "LEFT_MAX", ROOM + 1)


def test_cancelling_asks_the_root_first_and_then_all_below(ledger: Ledger, superuser: str) -> None:
    """No append speaks of more than it may; the receipt is that of the root, and counts all events."""
    jobs = _plan(ledger)
    ledger.succeed("r/0/0")
    position = ledger.position()
    receipt = ledger.cancel("r", actor="ann", reason="wrong host")

    events = [*ledger.events(position)]
    assert events[0].event.job == "r"
    assert {entry.event.job for entry in events} == set(jobs) - {"r/0/0"} == _flagged(ledger, "cancel_requested")
    assert {(entry.event.name, entry.event.actor, entry.event.reason) for entry in events} == {
        ("cancel_requested", "ann", "wrong host")
    }
    assert len({entry.event.id for entry in events}) == len(events)
    assert max(_appends(events)) <= ROOM + 1
    assert (receipt.disposition, receipt.version, receipt.position) == (Disposition.RECORDED, 2, position + 1)
    assert receipt.events == JOBS - 1
    with connect(superuser) as session:
        assert not any(rebuild.compare(session).values())


def test_a_tree_that_an_append_has_room_for_is_one_append(ledger: Ledger) -> None:
    """As before there were parts, parents first."""
    ledger.plan("Root", job="s", children=[{"job": f"s/{n}", "type": "Leaf"} for n in range(ROOM)])
    position = ledger.position()
    ledger.cancel("s")
    events = [*ledger.events(position)]
    assert [entry.event.job for entry in events] == ["s", *(f"s/{n}" for n in range(ROOM))]
    assert _appends(events) == [ROOM + 1]


@pytest.mark.parametrize("appends", range(1, 4))
def test_a_cancel_that_was_killed_goes_on_when_it_is_repeated(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, killed_after: Callable[[int], None], appends: int
) -> None:
    """The root is unchanged then, and whoever was not asked is; each is asked once, and meanwhile nothing begins."""
    jobs = _plan(ledger)
    killed_after(appends)
    with pytest.raises((KeyboardInterrupt, OutcomeUnknown)):
        ledger.cancel("r")
    _revive(monkeypatch)
    asked = _flagged(ledger, "cancel_requested")
    assert "r" in asked
    assert asked < set(jobs)
    with pytest.raises(CancelRequested):
        ledger.submit(next(job for job in jobs if job not in asked), "e", "t")

    receipt = ledger.cancel("r")
    assert (receipt.disposition, receipt.events) == (Disposition.UNCHANGED, len(jobs) - len(asked))
    assert _flagged(ledger, "cancel_requested") == set(jobs)
    again = ledger.cancel("r")
    assert (again.disposition, again.events) == (Disposition.UNCHANGED, 0)
    told = Counter(entry.event.job for entry in ledger.events() if entry.event.name == "cancel_requested")
    assert set(told.values()) == {1}


def test_a_branch_is_cancelled_alone(ledger: Ledger) -> None:
    """And the rest of the tree with its root later."""
    jobs = _plan(ledger)
    ledger.cancel("r/1")
    branch = {job for job in jobs if job.startswith("r/1")}
    assert _flagged(ledger, "cancel_requested") == branch
    assert ledger.cancel("r").events == JOBS - len(branch)


def test_a_tree_leaves_with_its_root_last(ledger: Ledger, superuser: str) -> None:
    """In appends that are no larger than they may be; the forecast tells the tree until its root is gone."""
    jobs = _closed(ledger)
    position = ledger.position()
    (left,) = ledger.expire(AT_ONCE)

    events = [*ledger.events(position)]
    assert (left.root, left.jobs) == ("r", JOBS)
    assert events[-1].event.job == "r"
    assert Counter(entry.event.job for entry in events) == Counter(jobs)
    assert {(entry.event.name, entry.event.actor) for entry in events} == {("expired", "sweeper")}
    assert max(_appends(events)) <= ROOM + 1
    assert ledger.expire(AT_ONCE) == []
    assert [*ledger.jobs()] == []
    with connect(superuser) as session:
        assert not any(rebuild.compare(session).values())


@pytest.mark.parametrize("appends", range(1, 5))
def test_a_sweep_that_was_killed_is_taken_up_by_the_next(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, killed_after: Callable[[int], None], appends: int
) -> None:
    """What is left of the tree is told as a tree that is due, and leaves; each job leaves once."""
    jobs = _closed(ledger)
    killed_after(appends)
    with pytest.raises((KeyboardInterrupt, OutcomeUnknown)):
        ledger.expire(AT_ONCE)
    _revive(monkeypatch)
    gone = _flagged(ledger, "expired")
    assert "r" not in gone
    assert [(tree.root, tree.jobs) for tree in ledger.expiry(AT_ONCE)] == [("r", JOBS - len(gone))]
    assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["r"]
    told = Counter(entry.event.job for entry in ledger.events() if entry.event.name == "expired")
    assert told == Counter(jobs)


@pytest.mark.parametrize("held", ["r", "r/3/6"])
def test_a_hold_that_comes_meanwhile_keeps_what_is_left(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    """Those that have left have left; the root stays, the forecast says who holds it, and lifted, the rest leaves."""
    _closed(ledger)
    finish = Recorder._go_on

    def interrupted(self: Recorder, *arguments: Any) -> Any:
        monkeypatch.setattr(Recorder, "_go_on", finish)
        submit = self._committer.submit
        parts: list[int] = []

        def after_one(work: Any) -> Any:
            answers = submit(work)
            parts.append(1)
            if len(parts) == 1:
                with assemble(self.datastore.conninfo) as other:
                    other.hold(held, actor="auditor")
            return answers

        monkeypatch.setattr(self._committer, "submit", after_one)
        try:
            return finish(self, *arguments)
        finally:
            monkeypatch.setattr(self._committer, "submit", submit)

    monkeypatch.setattr(Recorder, "_go_on", interrupted)
    assert ledger.expire(AT_ONCE) == []
    gone = _flagged(ledger, "expired")
    assert gone
    assert "r" not in gone
    assert held not in gone
    (tree,) = ledger.expiry(AT_ONCE)
    assert (tree.root, tree.jobs, tree.on_hold_by, tree.leaves_at) == ("r", JOBS - len(gone), "auditor", None)
    assert ledger.expire(AT_ONCE) == []
    ledger.lift_hold(held)
    assert [tree.root for tree in ledger.expire(AT_ONCE)] == ["r"]
    assert [*ledger.jobs()] == []


@pytest.mark.parametrize("event", ["hold_placed", "lost"])
def test_what_keeps_a_tree_is_seen_before_any_of_it_leaves(ledger: Ledger, event: str) -> None:
    """However far down it is, and whoever records that the tree leaves."""
    jobs = _plan(ledger)
    for job in reversed(jobs):
        ledger.record({"job": job, "event": "lost" if (job, event) == ("r/3/6", "lost") else "failed"})
    if event == "hold_placed":
        ledger.hold("r/3/6")
    with pytest.raises(IllegalTransition, match="r/3/6"):
        ledger.record({"job": "r", **EXPIRED})
    assert _flagged(ledger, "expired") == set()


def test_an_import_speaks_of_whole_trees_too(ledger: Ledger) -> None:
    """Of several in one page, and of one that the same page planned; what it recorded is counted."""
    for root in ("a", "b"):
        _plan(ledger, root)
    children = [{"job": f"c/{n}", "type": "Leaf"} for n in range(3 * ROOM)]
    records: list[dict[str, Any]] = [
        {"job": "a", "event": "cancel_requested"},
        {"job": "c", "event": "planned", "type": "Root", "children": children},
        {"job": "c", "event": "cancel_requested"},
        {"job": "b", "event": "cancel_requested"},
        {"job": "c/7", "event": "started"},
    ]
    summary = ledger.import_records(json.dumps(said).encode() for said in records)
    assert (summary.rejected, summary.recorded) == (0, 2 * JOBS + 2 * (3 * ROOM + 1) + 1)
    assert len(_flagged(ledger, "cancel_requested")) == 2 * JOBS + 3 * ROOM + 1
    again = ledger.import_records(json.dumps(said).encode() for said in records)
    assert (again.recorded, again.unchanged) == (0, len(records))


def test_callers_at_once_keep_within_the_room_of_an_append(ledger: Ledger) -> None:
    """Whoever shares an append with others goes on in the next; each gets the receipt of its own root."""
    roots = [f"t{n}" for n in range(6)]
    for root in roots:
        _plan(ledger, root)
    position = ledger.position()
    batch = [parse_transition({"job": root, "event": "cancel_requested"}, clock.new_id) for root in roots[:3]]
    receipts: dict[str, Any] = {}

    def cancel(root: str) -> None:
        receipts[root] = ledger.cancel(root)

    threads = [threading.Thread(target=cancel, args=(root,)) for root in roots[3:]]
    for thread in threads:
        thread.start()
    receipts |= zip(roots[:3], ledger.record_each(batch), strict=True)
    for thread in threads:
        thread.join()
    events = [*ledger.events(position)]
    assert len(events) == len(_flagged(ledger, "cancel_requested")) == 6 * JOBS
    assert {root: receipts[root].events for root in roots} == dict.fromkeys(roots, JOBS)
    assert max(_appends(events)) <= ROOM + len(roots)


def test_no_append_of_a_large_tree_takes_long(ledger: Ledger, superuser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand jobs each append speaks of no more than the real bound, and reads no more than twice as many."""
    for room in (judge, workspace):
        monkeypatch.setattr(room, "TREE_EVENTS_MAX", trees.TREE_EVENTS_MAX)
    monkeypatch.setattr(workspace, "LEFT_MAX", trees.TREE_EVENTS_MAX + 1)
    ledger.plan("Root", job="w", children=[{"job": f"w/{n}", "type": "Leaf"} for n in range(10_000)])
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute("ANALYZE")
    position = ledger.position()
    assert ledger.cancel("w").events == 10_001
    assert max(_appends([*ledger.events(position)])) <= trees.TREE_EVENTS_MAX + 1


def test_jobs_of_which_nothing_can_be_recorded_are_passed_by(ledger: Ledger, superuser: str) -> None:
    """However many of them there are, the others are asked to be cancelled, and the tree leaves without them."""
    parts = [f"s/{n}" for n in range(3 * ROOM)]
    ledger.plan("Root", job="s", children=[{"job": part, "type": "Leaf"} for part in parts])
    spoilt = parts[: 2 * ROOM]
    with connect(superuser) as owner:
        for part in spoilt:
            owner.execute(INSERT, (f"job:{part}", 2, "job.started.v1", b"junk"))
    assert ledger.cancel("s").events == 1 + ROOM
    assert ledger.cancel("s").events == 0
    for part in [*parts[2 * ROOM :], "s"]:
        ledger.record({"job": part, "event": "cancelled"})
    ledger.record({"job": "s", **EXPIRED})
    assert _flagged(ledger, "expired") == {"s", *parts[2 * ROOM :]}


def test_a_sweep_of_a_few_goes_past_those_that_cannot_leave(ledger: Ledger, superuser: str) -> None:
    """What stays is asked for once, and those behind it leave all the same."""
    roots = [f"t{n}" for n in range(6)]
    for root in roots:
        ledger.plan("Root", job=root)
        ledger.fail(root)
    with connect(superuser) as owner:
        for root in roots[:3]:
            owner.execute(INSERT, (f"job:{root}", 3, "job.disputed.v1", b"junk"))
    assert [tree.root for tree in ledger.expire(AT_ONCE, limit=2)] == ["t3", "t4"]
    assert [tree.root for tree in ledger.expire(AT_ONCE, limit=2)] == ["t5"]
