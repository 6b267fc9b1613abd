import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from ledger import forks
from ledger.application import Ledger
from ledger.service.assembly import assemble
from tests.store.forks import fork

CHILDREN, JOBS = 4, 10
SESSIONS = (
    "SELECT pid, backend_start FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

# A child of multiprocessing or gunicorn leaves as a program does, taking all that it knows apart.
PROGRAM = """
import gc, os, sys
from ledger.service.assembly import assemble
ledger = assemble(sys.argv[1])
ledger.plan("T", job="a")
watch = ledger.watch(0)
next(watch)
pid = os.fork()
if not pid:
    if sys.argv[2] == "used":
        assert ledger.busy("vm/v").busy is False
        ledger.start("a")
    if sys.argv[2] != "unused":
        ledger.close()
    gc.collect()
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(ledger.plan("T", job="b").position)
watch.close()
ledger.close()
"""


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def _sessions(admin: psycopg.Connection[DictRow]) -> set[tuple[Any, ...]]:
    return {tuple(row.values()) for row in admin.execute(SESSIONS).fetchall()}


def _work(ledger: Ledger, who: str) -> list[list[Any]]:
    """Plan and ask; each job with its position and what was answered about it."""
    told = []
    for number in range(JOBS):
        job = f"{who}-{number}"
        receipt = ledger.plan("T", job=job, entities=[{"type": "vm", "id": job}])
        on = [each.job for each in ledger.busy(f"vm/{job}").jobs]
        told.append([receipt.job, receipt.position, on, ledger.job(job).job])
    return told


def _check(told: list[list[list[Any]]], admin: psycopg.Connection[DictRow]) -> None:
    """Everybody was answered with their own jobs, at the positions where they are on record."""
    rows = admin.execute("SELECT name, position FROM ledger.events WHERE stream_of = 'job'").fetchall()
    there = {row["name"]: row["position"] for row in rows}
    for each in told:
        for job, position, on, asked in each:
            assert (there[job], [job], job) == (position, on, asked)
    assert sum(map(len, told)) == len({job for each in told for job, *_ in each})


@pytest.mark.parametrize("busy", [False, True])
def test_four_children_and_their_parent_get_their_own_answers(
    *, ledger: Ledger, admin: psycopg.Connection[DictRow], busy: bool
) -> None:
    """While the parent is idle, and while it is at work."""
    ledger.plan("T", job="before")
    children = [fork(partial(_work, ledger, f"child{n}")) for n in range(CHILDREN)]
    mine = [_work(ledger, "parent")] if busy else []
    told = [child.told() for child in children]
    _check([*told, *mine, _work(ledger, "after")], admin)


def test_threads_that_are_in_the_midst_of_it_do_not_come_along(
    ledger: Ledger, admin: psycopg.Connection[DictRow]
) -> None:
    """Whatever they held when the child was made, locks and connections, the child has its own."""
    ended = threading.Event()
    mine: list[list[list[Any]]] = [[] for _ in range(4)]

    def work(number: int) -> None:
        turn = 0
        while not ended.is_set():
            mine[number] += _work(ledger, f"thread{number}-{turn}")
            turn += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    told = []
    for number in range(8):
        children = [fork(partial(_work, ledger, f"child{number}-{n}")) for n in range(2)]
        told += [child.told() for child in children]
    ended.set()
    for thread in threads:
        thread.join()
    _check([*told, *mine], admin)


def _work_in_thread(ledger: Ledger, number: int) -> list[Any]:
    told: list[Any] = []
    thread = threading.Thread(target=lambda: told.append(_work(ledger, f"child{number}")))
    thread.start()
    thread.join()
    return told[0]  # type: ignore[no-any-return]


def test_a_thread_makes_children_and_a_child_makes_its_own(ledger: Ledger, admin: psycopg.Connection[DictRow]) -> None:
    told: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda n=number: told.append(fork(lambda: fork(lambda: _work_in_thread(ledger, n)).told()).told())
        )
        for number in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 2
    _check([*told, _work(ledger, "parent")], admin)


def test_multiprocessing_makes_children_too(ledger: Ledger, admin: psycopg.Connection[DictRow]) -> None:
    ledger.plan("T", job="before")
    context = multiprocessing.get_context("fork")
    told: Any = context.SimpleQueue()
    children = [context.Process(target=lambda who=f"child{n}": told.put(_work(ledger, who))) for n in range(2)]
    for child in children:
        child.start()
    heard = [told.get() for _ in children]
    for child in children:
        child.join()
        assert child.exitcode == 0
    _check([*heard, _work(ledger, "parent")], admin)


@pytest.mark.parametrize("child", ["used", "unused", "closed"])
def test_a_child_that_ends_ends_no_session_of_its_parent(conninfo: str, child: str) -> None:
    """It ends as any program, and says nothing of what it leaves behind."""
    done = subprocess.run(
        (sys.executable, "-X", "dev", "-c", PROGRAM, conninfo, child), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ("3" if child == "used" else "2")
    assert done.stderr == ""


def test_a_child_closes_nothing_that_is_its_parents(ledger: Ledger, admin: psycopg.Connection[DictRow]) -> None:
    """Closed there, and taken apart: the parent goes on in the same sessions."""
    ledger.plan("T", job="a")
    ledger.busy("vm/v")
    seen = ledger.watch(0)
    assert next(seen).position == 1
    before = _sessions(admin)

    def leave() -> bool:
        ledger.close()
        seen.close()  # type: ignore[attr-defined]
        forks._ABANDONED.clear()
        return bool(gc.collect() + 1)

    assert fork(leave).told()
    ledger.plan("T", job="b")
    assert ledger.busy("vm/v").busy is False
    assert next(seen).position == 2
    assert before <= _sessions(admin)


def test_the_database_hears_when_a_parent_is_gone_whose_child_lives(
    conninfo: str, admin: psycopg.Connection[DictRow]
) -> None:
    """A child holds open nothing that is the parent's, so that what that held in an append is let go."""
    ending, end = os.pipe()

    def open_and_die() -> None:
        ledger = assemble(conninfo)
        ledger.plan("T", job="a")
        if not os.fork():
            os.close(end)
            os.read(ending, 1)  # until the test lets it
            os._exit(0)

    fork(open_and_die).told()
    while _sessions(admin):
        pass
    os.close(end)
    os.close(ending)


def test_a_watch_goes_on_in_the_child_and_in_the_parent(ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    seen = ledger.watch(0)
    assert next(seen).position == 1
    ledger.plan("T", job="b")
    assert fork(lambda: next(seen).position).told() == 2
    assert next(seen).position == 2


def test_a_child_speaks_as_the_owner_and_leaves_its_lease_alone(
    ledger: Ledger, admin: psycopg.Connection[DictRow]
) -> None:
    """It keeps the lease by a thread of its own once it says something, and gives it up nowhere but at home."""
    with ledger.start_owner("engine", lease_seconds=0.3) as engine:
        assert engine.owner is not None

        def speak() -> list[Any]:
            idle = threading.active_count()
            engine.plan("T", job="child")
            busy = threading.active_count()
            engine.close()
            return [idle, busy, threading.active_count(), engine.job("child").epoch]

        assert fork(speak).told() == [1, 2, 1, engine.owner.epoch]
        assert admin.execute("SELECT owner FROM ledger.leases").fetchall() == [{"owner": "engine"}]
        engine.plan("T", job="parent")
    assert admin.execute("SELECT owner FROM ledger.leases").fetchall() == []
