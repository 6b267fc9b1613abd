"""Rule 7."""

import pytest

from ledger.errors import CancelRequested, NotCancellable
from tests.domain.memory import LATE, Memory, names, parts


@pytest.fixture
def memory() -> Memory:
    memory = Memory()
    inner = {"job": "p/a", "type": "Part", "children": [*parts("p/a/1"), *parts("p/a/2", cancellable=False)]}
    memory.plan("p", children=[inner, *parts("p/b")])
    memory.tell("p/b", "succeeded")
    return memory


def test_it_is_asked_of_all_active_jobs_below_in_one_append(memory: Memory) -> None:
    asked = memory.tell("p", "cancel_requested", actor="alice", reason="wrong host")

    assert names(asked) == [f"{job} cancel_requested" for job in ("p", "p/a", "p/a/1", "p/a/2")]
    assert {(event.actor, event.reason) for event in asked.events} == {("alice", "wrong host")}


def test_nothing_new_is_begun_below(memory: Memory) -> None:
    memory.tell("p", "cancel_requested")

    for job in ("p/a/1", "p/a/2"):
        with pytest.raises(CancelRequested):
            memory.tell(job, "submitted", executor="e", token="t")
    for parent in ("p", "p/a", "p/a/2"):
        with pytest.raises(CancelRequested):
            memory.plan("new", parent=parent)


def test_an_import_records_what_was_begun_all_the_same(memory: Memory) -> None:
    memory.tell("p", "cancel_requested")

    memory.tell("p/a/1", "submitted", historical=True, executor="e", token="t")
    memory.tell("new", "planned", historical=True, type="T", parent="p")
    assert memory.jobs["new"].root == "p"


def test_reports_are_taken_and_the_first_one_closes(memory: Memory) -> None:
    memory.tell("p", "cancel_requested")
    memory.tell("p/a/1", "started")
    memory.tell("p/a/1", "succeeded")

    assert memory.jobs["p/a/1"].outcome == "succeeded"
    assert memory.tell("p/a/1", "cancelled").disposition is LATE


def test_what_cannot_be_cancelled_says_so(memory: Memory) -> None:
    with pytest.raises(NotCancellable):
        memory.tell("p/a/2", "cancel_requested")
