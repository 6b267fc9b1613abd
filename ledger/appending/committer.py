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

There is no thread to start, to stop or to die: a leader that is interrupted, wherever that is, fails its group with
`OutcomeUnknown`, and the next caller leads. Who leads is said in one place, and changes in one step, so that there is
never a second leader, and never none while somebody waits.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar

from ledger import forks
from ledger.errors import AppendLockHeld, LedgerError, OutcomeUnknown, Unavailable

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
    waits: bool = True
    answers: list[A] | None = None
    error: BaseException | None = None
    next: "threading.Lock | None" = None

    @property
    def answered(self) -> bool:
        """Whether its group has ended."""
        return self.answers is not None or self.error is not None

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
        self._closed = False
        self.begin_anew()
        forks.register(self)

    def begin_anew(self) -> None:
        """Let nobody wait and nobody lead: in a child, those who did are threads of its parent."""
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._outside = 0
        self._waiting: deque[_Request[W, A]] = deque()
        self._leader: _Request[W, A] | None = None
        self._awake = threading.Lock()

    def submit(self, work: Sequence[W]) -> list[A]:
        """The answers to a caller's work, once they are committed.

        Raises `Unavailable` once the committer is closed, and what the group's commit raises.
        """
        request: _Request[W, A] = _Request(work)
        try:
            self._queue(request)
            self._wait(request)
            if self._leader is request:
                self._lead()
            else:
                request.wake_next()
        finally:
            try:
                self._leave(request)
            except BaseException:  # an interrupt: what it left undone is done now
                self._leave(request)
                raise
        if request.error is not None:
            raise request.error
        assert request.answers is not None  # noqa: S101 - its group was answered
        return request.answers

    def close(self) -> None:
        """Take no more work, and wait until everybody who waits has an answer."""
        with self._idle:
            self._closed = True
            self._room.notify_all()
            while self._leader is not None:
                self._idle.wait(WAIT_SECONDS_MAX)

    def _queue(self, request: _Request[W, A]) -> None:
        with self._lock:
            if len(self._waiting) >= self._waiting_max:
                self._wait_for_room()
            if self._closed:
                raise Unavailable("The ledger is closed; open it again.")
            self._waiting.append(request)
            if self._leader is None:
                self._leader = request

    def _wait_for_room(self) -> None:
        self._outside += 1
        try:
            while not self._closed and len(self._waiting) >= self._waiting_max:
                self._room.wait(WAIT_SECONDS_MAX)
        finally:
            self._outside -= 1

    def _wait(self, request: _Request[W, A]) -> None:
        """Wait until it is answered, or is to lead."""
        # A signal that comes just before a wait for a lock is seen only after it, so that must not be for ever.
        while not (request.answered or self._leader is request):
            request.gate.acquire(timeout=WAIT_SECONDS_MAX)

    def _leave(self, request: _Request[W, A]) -> None:
        """Let the next lead where this one did; one who was interrupted while it waited is forgotten."""
        if not (request.waits or self._leader is request):
            return
        with self._lock:
            if request.waits and request in self._waiting:
                self._waiting.remove(request)
                self._room.notify_all()
            if self._leader is not request:
                return
            if self._waiting:
                self._leader = self._waiting[0]
                self._leader.gate.release()
            else:
                self._leader = None
                self._idle.notify_all()

    def _lead(self) -> None:
        """Commit for those who wait, as many as make a group, and answer each of them, whatever happens."""
        self._gather()
        group: list[_Request[W, A]] = []
        try:
            self._take(group)
            self._answer(group)
        except BaseException as error:
            self._fail(group, error)
            raise
        finally:
            if group:
                group[0].wake_next()  # it waits for none itself

    def _gather(self) -> None:
        """Wait until all of the last group are awake, who are about to come again; but only for a moment."""
        self._awake.acquire(timeout=GATHER_SECONDS_MAX)
        self._awake = _shut()

    def _take(self, group: list[_Request[W, A]]) -> None:
        """Put those who wait into a group, and only then out of the queue."""
        size = 0
        with self._lock:
            for request in self._waiting:
                size += len(request.work)
                if group and size > GROUP_MAX:
                    break
                group.append(request)
            for one, following in pairwise(group):
                one.next = following.gate
            group[-1].next = self._awake
            for request in group:
                request.waits = False
                self._waiting.popleft()
            if self._outside:
                self._room.notify_all()

    def _answer(self, group: Sequence[_Request[W, A]]) -> None:
        """Give everybody of a group an answer or an error."""
        try:
            answers = iter(self._commit([piece for request in group for piece in request.work]))
            for request in group:
                request.answers = [next(answers) for _ in request.work]
        except LedgerError as error:
            for request in group:
                request.error = error
            if isinstance(error, AppendLockHeld):
                self._tell_waiting(error)

    def _tell_waiting(self, error: AppendLockHeld) -> None:
        """Tell those who came meanwhile too: they have waited for the same, and would now wait as long again."""
        with self._lock:
            told = [*self._waiting]
            self._waiting.clear()
            for request in told:
                request.waits, request.error = False, error
                request.gate.release()
            self._room.notify_all()

    def _fail(self, group: Sequence[_Request[W, A]], error: BaseException) -> None:
        """Tell those who have no answer that there is none; an interrupt may have left some of them in the queue."""
        with self._lock:
            for request in group:
                request.waits = False
                if request in self._waiting:
                    self._waiting.remove(request)
        for request in group[1:]:
            if not request.answered:
                request.error = _unknown(error)


def _unknown(error: BaseException) -> OutcomeUnknown:
    return OutcomeUnknown(f"The append was interrupted ({type(error).__name__}), so it may be recorded; repeat it.")
