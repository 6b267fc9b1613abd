"""A signal is taken wherever Python takes one: as a function begins, as a loop turns, and after a call."""

import dis
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any

import pytest

from ledger.appending import committer
from ledger.appending.committer import Committer
from ledger.errors import OutcomeUnknown

BEHIND = 3
TAKEN_AFTER = ("RESUME", "JUMP_BACKWARD", "CALL", "CALL_FUNCTION_EX")


@cache
def _points(code: CodeType) -> frozenset[int]:
    instructions = list(dis.get_instructions(code))
    return frozenset(after.offset for one, after in pairwise(instructions) if one.opname in TAKEN_AFTER)


class Interrupt:
    """Raises KeyboardInterrupt in the thread that traces with it, at one point of the committer, by its number."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.where = ""

    def __call__(self, frame: FrameType, event: str, _: Any) -> "Interrupt | None":
        if frame.f_code.co_filename != committer.__file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode" and not self.where and frame.f_lasti in _points(frame.f_code):
            if not self.left:
                self.where = f"{frame.f_code.co_name}, line {frame.f_lineno}"
                raise KeyboardInterrupt
            self.left -= 1
        return self


def _play(pool: ThreadPoolExecutor, interrupt: Interrupt) -> list["Future[list[int]]"]:
    """One caller commits; another, who is to lead next and is interrupted, waits behind it, and others behind that."""
    begun, go = threading.Event(), threading.Event()

    def commit(work: Sequence[int]) -> list[int]:
        begun.set()
        assert go.wait(timeout=30)
        return list(work)

    def submit_interrupted() -> list[int]:
        sys.settrace(interrupt)
        try:
            return played.submit([1])
        finally:
            sys.settrace(None)

    played: Committer[int, int] = Committer(commit)
    calls = [pool.submit(played.submit, [0])]
    assert begun.wait(timeout=30)
    calls.append(pool.submit(submit_interrupted))
    _until(lambda: bool(played._waiting) or calls[1].done())
    for n in range(BEHIND):
        calls.append(pool.submit(played.submit, [2 + n]))
        _until(lambda n=n: len(played._waiting) > n)  # type: ignore[misc]
    go.set()
    for call in calls:
        call.exception(timeout=30)
    calls.append(pool.submit(played.submit, [9]))
    calls[-1].result(timeout=30)
    pool.submit(played.close).result(timeout=30)
    return calls


def _until(true: Callable[[], bool]) -> None:
    while not true():
        pass


def test_a_leader_interrupted_anywhere_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "WAIT_SECONDS_MAX", 0.01)
    points: list[str] = []
    with ThreadPoolExecutor(BEHIND + 3) as pool:
        while True:
            interrupt = Interrupt(len(points))
            first, interrupted, *behind, later = _play(pool, interrupt)
            if not interrupt.where:
                break
            points.append(interrupt.where)
            assert (first.result(), later.result()) == ([0], [9])
            assert isinstance(interrupted.exception(), KeyboardInterrupt), interrupt.where
            assert {type(call.exception()) for call in behind} <= {type(None), OutcomeUnknown}, interrupt.where

    assert {point.split(",")[0] for point in points} >= {"submit", "_queue", "_wait", "_lead", "_gather", "_take"}
    assert len(points) > 50
