"""The one connection over which a process appends.

Whenever it is for us to act, the server must know that it waits for us: a Sync stands behind whatever is sent, so that
a process that stands still (a paused machine, a host without power) is one that is idle in a transaction, which the
server ends by itself. What it had not committed was not recorded, and nobody else waits for it any longer.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import psycopg
from psycopg import Connection, Cursor, Pipeline
from psycopg.abc import Params
from psycopg.generators import send
from psycopg.rows import DictRow

from ledger import forks
from ledger.store.append_lock import SLOW_SECONDS_MAX, STILL_SECONDS_MAX, TAKE, bound_append
from ledger.store.connection import DEAD_SECONDS_MAX, Bounded, closed_on_error, configure, connect_as
from ledger.store.datastore import has_word
from ledger.store.replication import Replicated

SEND_BYTES = 4 * 1024 * 1024
BEGIN, COMMIT = b"BEGIN ISOLATION LEVEL READ COMMITTED", b"COMMIT"
LOCK = TAKE.encode()
# The server itself sees to it that a host that is gone does not hold what it holds.
KEEP_ALIVE = (
    "SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; "
    f"SET tcp_user_timeout = '{DEAD_SECONDS_MAX}s'"
)


class Together(Pipeline):
    """A pipeline in which what is said is kept back until it is sent as a whole, with a Sync behind it in one message.

    psycopg would send each statement by itself, and whoever stands still between two of them is not seen to.
    """

    def _communicate_gen(self) -> Any:
        return ()  # where psycopg would send what was just said, and read what has come

    def say(self, statement: bytes) -> None:
        """Say something as psycopg says its own BEGIN and COMMIT in a pipeline, without a cursor."""
        self.command_queue.append(partial(self.pgconn.send_query_params, statement, None))
        self.result_queue.append(None)

    def send(self) -> None:
        """Send what was said, without waiting for an answer; libpq does when the Sync comes, which is the last."""
        for say in self.command_queue:
            say()
        self.command_queue.clear()
        self.pgconn.pipeline_sync()
        self.result_queue.append(None)

    def answers(self) -> Any:
        """What reads the answers to all that was sent."""
        return self._fetch_gen(flush=False)


class Asking(Cursor[DictRow]):
    """A cursor whose answer is asked for together with all that was said before it, and a Sync behind."""

    connection: "Appending"

    def fetchall(self) -> list[DictRow]:
        """As psycopg does."""
        if self.pgresult is None:
            self.connection.ask()
        return super().fetchall()


class Appending(Bounded):
    """Hands out the same cursors in each transaction, since making one takes a fifth of the time of a statement."""

    together: Together

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursor_factory = Asking
        self._spare: list[Cursor[DictRow]] = []
        self._lent: list[Cursor[DictRow]] = []
        self._waits = True
        self.replicated = Replicated()

    def stay_in_pipeline(self) -> None:
        """Say everything from now on in a pipeline, which is never left: that would take a round trip each time.

        Nor is it left where the connection is taken apart, as the one that `pipeline` gives would be: that says all
        that it holds back, which in a child is the parent's.
        """
        self._pipeline = self.together = Together(self)
        self.together.__enter__()
        self._waits = False

    def begin(self, speaker: str) -> None:
        """Take back the cursors that were lent; then begin a transaction, under the append lock."""
        self._spare, self._lent = self._spare + self._lent, []
        self.together.say(BEGIN)
        if speaker != self.speaker and (name := self.speak_as(speaker)):
            self.together.say(name)
        self.together.say(LOCK)

    def execute(self, query: Any, params: Params | None = None, **options: Any) -> Cursor[DictRow]:
        """As psycopg does; the cursor is good until the next transaction."""
        cursor = self._spare.pop() if self._spare else self.cursor()
        self._lent.append(cursor)
        return cursor.execute(query, params, **options)

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """As `Bounded` does; what is kept back waits for nothing."""
        if self._waits:
            return super().wait(gen, *arguments, **options)
        for _ in gen:
            raise AssertionError("nothing is waited for before it is asked")
        return None

    def ask(self) -> None:
        """Send what was said, and wait for the answers to all that was."""
        self.together.send()
        answers = self.together.answers()
        with self.lock:
            self._waits = True
            try:
                if self.pgconn.flush():  # the system did not take all of it
                    self.wait(send(self.pgconn))
                self.wait(answers)
            finally:
                self._waits = False

    def end(self) -> None:
        """Commit, in the message that bears the rest of what was said; raises what the database raises then."""
        self.together.say(COMMIT)
        self.ask()


class Line:
    """The connection of those who append, one at a time; it is kept, and opened anew where it has gone.

    `forget` is called before another is used: what was read over the last one may have been another ledger's.
    """

    def __init__(self, conninfo: str, forget: Callable[[], None]) -> None:
        self._conninfo = conninfo
        self._forget = forget
        self._connection: Appending | None = None
        self._still_seconds = STILL_SECONDS_MAX
        self.speaker = ""
        forks.register(self)

    def begin_anew(self) -> None:
        """Have no connection."""
        forks.abandon(self._connection)
        self._connection = None

    def go_slowly(self) -> None:
        """Take more time to decide from now on, for the server took us for one that stands still."""
        self._still_seconds = SLOW_SECONDS_MAX

    @contextmanager
    def transaction(self, hear: Callable[[psycopg.errors.Diagnostic], None]) -> Iterator[Appending]:
        """A transaction under the append lock; `hear` is told of notices.

        It is said in a pipeline: nothing is waited for but what is read, and the commit goes with the last part. Errors
        of the database come out as they are, `Unavailable` where there is no connection. A connection on which
        something went wrong is not used again.
        """
        connection = self._ready()
        connection.add_notice_handler(hear)
        try:
            connection.begin(self.speaker)
            yield connection
            connection.end()
        except BaseException:
            self.close()
            raise
        connection.remove_notice_handler(hear)
        if connection.had_its_turn:
            self.close()

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ready(self) -> Appending:
        if self._connection is not None and has_word(self._connection):  # which is that the server has ended it
            self.close()
        if self._connection is None:
            self._forget()
            connection = connect_as(Appending, self._conninfo, self.speaker)
            with closed_on_error(connection):
                configure(connection)
                connection.execute(KEEP_ALIVE)
                bound_append(connection, local=False, still_seconds=self._still_seconds)
            _widen(connection)
            connection.stay_in_pipeline()
            self._connection = connection
        return self._connection


def _widen(connection: Connection[DictRow]) -> None:
    """Let more be sent than the server has read, as far as the system allows; TCP sees to that itself.

    Else a Unix socket takes no more from 52 KiB on, and what comes next is not decided while the server works.
    """
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as sent:
        if sent.family == socket.AF_UNIX:
            sent.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
