"""Group commit: callers of one process that come at the same time share a transaction, and each gets its own answer.

Whoever comes first while nobody commits leads: it commits for all who wait, itself among them, and then lets the first
of those who came meanwhile lead. So a lone caller commits at once, in its own thread, and waits for nobody; callers
that come together wait for one flush of the disk instead of one each. It is right because the recorder decides the
callers of a group one after the other under the append lock, each seeing what those before it have done, and keeps a
caller's error to itself; and because every caller belongs to one group, whose leader answers it whatever happens.

Those who were answered wake one another in a chain: threads that are all woken at once would queue for the one that
Python lets run, and be put to sleep again (a sixth of the rate of 64 callers). The last of them wakes the next leader,
which would else take the same turns from them; and they are about to come again, so that its group is a large one. Who
waits also looks for its answer once a second, and a leader waits only for a moment, so that an interrupt can break no
more than the haste.

There is no thread to start, to stop or to die: a leader that is interrupted fails its group with `OutcomeUnknown`, and
the next caller leads.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ledger.errors import LedgerError, OutcomeUnknown, Unavailable

GROUP_MAX = 500
WAITING_MAX = 10_000
GATHER_SECONDS_MAX = 0.005
WAIT_SECONDS_MAX = 1.0

W = TypeVar("W")
A = TypeVar("A")


def _shut() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(eq=False, slots=True)
class _Request(Generic[W, A]):
    """What one caller wants recorded; its gate opens when it is answered, or is to lead; then it wakes the next."""

    work: Sequence[W]
    gate: threading.Lock = field(default_factory=_shut)
    leads: bool = False
    waits: bool = True
    answers: list[A] | None = None
    error: BaseException | None = None
    next: "threading.Lock | None" = None

    @property
    def answered(self) -> bool:
        """Whether its group has ended."""
        return self.answers is not None or self.error is not None

    def wait(self) -> None:
        """Wait until it is answered, or is to lead."""
        # A signal that comes just before a wait for a lock is seen only after it, so that must not be for ever.
        while not (self.leads or self.answered):
            self.gate.acquire(timeout=WAIT_SECONDS_MAX)

    def wake_next(self) -> None:
        """Wake the next of its group; the last of them, who leads the next group."""
        if self.next is not None:
            self.next.release()


class Committer(Generic[W, A]):
    """Hands the work of concurrent callers to `commit` in groups; safe to share between threads.

    `commit` takes the work of a group and returns an answer for each piece, in order; what it raises, all of the group
    get. At most `waiting_max` callers wait in the queue, and others before it.
    """

    def __init__(self, commit: Callable[[Sequence[W]], list[A]], *, waiting_max: int = WAITING_MAX) -> None:
        self._commit = commit
        self._waiting_max = waiting_max
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._outside = 0
        self._waiting: deque[_Request[W, A]] = deque()
        self._led = False
        self._closed = False
        self._awake = threading.Lock()

    def submit(self, work: Sequence[W]) -> list[A]:
        """The answers to a caller's work, once they are committed.

        Raises `Unavailable` once the committer is closed, and what the group's commit raises.
        """
        request: _Request[W, A] = _Request(work)
        try:
            self._queue(request)
            request.wait()
            if request.leads:
                self._lead()
            else:
                request.wake_next()
        finally:
            self._leave(request)
        if request.error is not None:
            raise request.error
        assert request.answers is not None  # noqa: S101 - its group was answered
        return request.answers

    def close(self) -> None:
        """Take no more work, and wait until everybody who waits has an answer."""
        with self._idle:
            self._closed = True
            self._room.notify_all()
            self._idle.wait_for(lambda: not self._led)

    def _queue(self, request: _Request[W, A]) -> None:
        with self._lock:
            if len(self._waiting) >= self._waiting_max:
                self._wait_for_room()
            if self._closed:
                raise Unavailable("The ledger is closed; open it again.")
            self._waiting.append(request)
            request.leads, self._led = not self._led, True

    def _wait_for_room(self) -> None:
        self._outside += 1
        try:
            self._room.wait_for(lambda: self._closed or len(self._waiting) < self._waiting_max)
        finally:
            self._outside -= 1

    def _leave(self, request: _Request[W, A]) -> None:
        """Let the next lead where this one did; one who was interrupted while it waited is forgotten."""
        if not (request.waits or request.leads):
            return
        with self._lock:
            if request.waits and request in self._waiting:
                self._waiting.remove(request)
                self._room.notify_all()
            if not request.leads:
                return
            self._led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].gate.release()
            else:
                self._idle.notify_all()

    def _lead(self) -> None:
        """Commit for those who wait, as many as make a group."""
        self._gather()
        self._answer(self._take())

    def _gather(self) -> None:
        """Wait until all of the last group are awake, who are about to come again; but only for a moment."""
        self._awake.acquire(timeout=GATHER_SECONDS_MAX)
        self._awake = _shut()

    def _take(self) -> list[_Request[W, A]]:
        group: list[_Request[W, A]] = []
        size = 0
        with self._lock:
            while self._waiting and (not group or size + len(self._waiting[0].work) <= GROUP_MAX):
                request = self._waiting.popleft()
                request.waits = False
                if group:
                    group[-1].next = request.gate
                group.append(request)
                size += len(request.work)
            group[-1].next = self._awake
            if self._outside:
                self._room.notify_all()
        return group

    def _answer(self, group: Sequence[_Request[W, A]]) -> None:
        """Give everybody of a group an answer or an error; the first of it leads, and waits for none."""
        try:
            answers = iter(self._commit([piece for request in group for piece in request.work]))
            for request in group:
                request.answers = [next(answers) for _ in request.work]
        except LedgerError as error:
            for request in group:
                request.error = error
        except BaseException as error:
            for request in group[1:]:
                request.error = _unknown(error)
            raise
        finally:
            group[0].wake_next()


def _unknown(error: BaseException) -> OutcomeUnknown:
    return OutcomeUnknown(f"The append was interrupted ({type(error).__name__}), so it may be recorded; repeat it.")
