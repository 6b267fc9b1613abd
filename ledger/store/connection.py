"""A connection to PostgreSQL, by libpq's conninfo with all its options, and the errors of one in our words.

A command that only asks needs no more than this, and so nothing that is slow to import is imported here.
"""

import os
import re
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import psycopg
from psycopg import Connection, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from pydantic_core import from_json

from ledger import clock, forks, process
from ledger.errors import (
    DatabaseAway,
    HostileText,
    IntegrityFailure,
    LedgerError,
    MalformedConninfo,
    Unavailable,
)
from ledger.store import patience
from ledger.store.words import READ_ONLY_BY_SETTING, TOO_MANY, find_words

if TYPE_CHECKING:
    from ledger.store.silence import Silence

CONNECT_SECONDS_MAX = 10
LOCK_SECONDS_MAX = 60
FIRST_ANSWER_SECONDS_MAX = 20
DEAD_SECONDS_MAX = 10  # until a peer that answers nothing, on a network that carries nothing, is given up
TURN_SECONDS_MAX = 2  # for which a session of a pooler is kept, which others may wait for
SEARCH_PATH = "pg_catalog, pg_temp"  # statements name all that is ours
Connect = Callable[[], AbstractContextManager[Connection[Any]]]  # for as long as a question takes

# What answers and promises rest on, whatever the server, the database or the role says. It is set by SET, since a
# pooler passes few startup options on. `default_transaction_read_only` is not among it: who says that, means it.
SETTINGS = {
    "search_path": SEARCH_PATH,
    # As psycopg reads and writes, and text of every language.
    "client_encoding": "'UTF8'",
    "datestyle": "'ISO'",
    "intervalstyle": "'postgres'",
    "timezone": "'UTC'",
    "bytea_output": "'hex'",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    # What the same words mean: NULL in a list, a comparison with NULL, a name as the catalogue shows it, a search.
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    "gin_fuzzy_search_limit": "0",
    # What is read behind a lock is what was committed before it, and an error ends no session.
    "default_transaction_isolation": "'read committed'",
    "exit_on_error": "off",
    # That a wait for a standby was cancelled is told by a warning alone.
    "client_min_messages": "'notice'",
}
_SET = "; ".join(f"SET {name} = {value}" for name, value in SETTINGS.items())
# Only newer releases know it.
_VIEWS_ARE_READ = (
    "SELECT pg_catalog.set_config('restrict_nonsystem_relation_kind', '', false) WHERE "
    "pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) OPERATOR(pg_catalog.<>) ''"
)
_CONNINFO = re.compile(r"connection (info )?string|connection option|\bURI\b|URI query parameter")
_QUOTED = re.compile(r'"[^"]*"?')
# Nobody waits for a lock without an end; where the connection was given a bound, that stands.
_BOUNDED = (
    f"SELECT pg_catalog.set_config('lock_timeout', '{LOCK_SECONDS_MAX}s', false) "
    "WHERE pg_catalog.current_setting('lock_timeout') OPERATOR(pg_catalog.=) '0'"
)
_WHO_ANSWERS = "SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.pg_postmaster_start_time()::text AS started"

# By libpq's names, in its units: a silent peer is asked after 4 s and then each 2 s; 10 s is the bound for all.
_KEPT_ALIVE = {
    "keepalives_idle": ("TCP_KEEPIDLE", 4),
    "keepalives_interval": ("TCP_KEEPINTVL", 2),
    "keepalives_count": ("TCP_KEEPCNT", 3),
    "tcp_user_timeout": ("TCP_USER_TIMEOUT", DEAD_SECONDS_MAX * 1000),
}

_OUR_STATES = "JL"  # what our own triggers and functions refuse, each in a sentence of its own


class _InOurWords:
    """Lets errors of the database come out in our words, and of a text that cannot be sent to it."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, psycopg.Error | UnicodeEncodeError):
            raise translate(error) from error


in_our_words = _InOurWords()


def translate(error: Exception) -> LedgerError:
    """The error in our words, with what the database said."""
    told_by_driver = " ".join(str(error).split())
    if _is_of_text(error, told_by_driver):
        return HostileText("A text must be Unicode without the character NUL, and one that was asked about is not.")
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None and _CONNINFO.search(told_by_driver):
        return MalformedConninfo(
            "A database must be named as libpq has it, host=… dbname=… or postgresql://…, and JOBLEDGER_DSN is not "
            f"({_QUOTED.sub(_hide, told_by_driver)})."
        )
    state = state_of(error)
    known = find_words(state, told_by_driver)
    if known is not None:
        kind, sentence = known
        if getattr(error, "by_setting", False):
            sentence = READ_ONLY_BY_SETTING
        lacks = _lacks(error, told_by_driver) if state == "42501" else None
        waited_for = getattr(error, "waited_for", None)
        told_by_driver = f"{told_by_driver}: it waited for {waited_for}" if waited_for else told_by_driver
        return kind(lacks or f"{sentence} ({told_by_driver}).", sqlstate=state)
    if state is not None and state.startswith(_OUR_STATES):
        diag = error.diag  # type: ignore[attr-defined]  # only an error of the database has a state
        message = " ".join(filter(None, (diag.message_primary, diag.message_hint)))
        return (Unavailable if state == "JL004" else IntegrityFailure)(message, sqlstate=state)
    if _is_away(error, state):
        return DatabaseAway(
            f"The database does not answer; check that it runs and JOBLEDGER_DSN ({told_by_driver}).", sqlstate=state
        )
    return Unavailable(f"The database could not do what was asked ({told_by_driver}).", sqlstate=state)


def is_away(error: psycopg.Error) -> bool:
    """Whether an error is that of a connection, so that it says nothing of what was asked over it."""
    return _is_away(error, error.sqlstate)


def _lacks(error: Exception, sentence: str) -> str | None:
    """Which right is missing and which role has it, asked over another connection; None where that is not seen."""
    conninfo: str | None = getattr(error, "conninfo", None)
    if conninfo is None:
        return None
    from ledger.store.rights import tell_lack  # noqa: PLC0415 - only where it is needed

    with suppress(LedgerError, psycopg.Error):
        return tell_lack(conninfo, sentence)
    return None


def _is_away(error: Exception, state: str | None) -> bool:
    """Whether an error is that of a connection; psycopg calls others operational too, as a serialization failure."""
    operational = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return operational and (state is None or state.startswith(("08", "57P", "533")))


def _hide(quoted: re.Match[str]) -> str:
    """A character of the syntax stays; anything longer may be a password, or have one in it."""
    return quoted[0] if len(quoted[0]) == len('"="') else "…"


def _is_of_text(error: Exception, sentence: str) -> bool:
    """Whether an error is that psycopg or PostgreSQL cannot take NUL, or half of a surrogate pair."""
    if isinstance(error, psycopg.DataError):
        return error.sqlstate in ("22P05", "22021") or "NUL (0x00)" in sentence or "surrogate" in sentence
    return isinstance(error, UnicodeEncodeError)


def state_of(error: Exception) -> str | None:
    """The SQLSTATE of an error; a failed connection attempt carries none, so the server's own words must do."""
    return getattr(error, "sqlstate", None) or _state_of_text(" ".join(str(error).split()))


def _state_of_text(sentence: str) -> str | None:
    for words, state in (
        ("too many clients already", TOO_MANY),
        ("remaining connection slots are reserved", TOO_MANY),
        ("too many connections for", TOO_MANY),
        ("no more connections allowed", TOO_MANY),  # by PgBouncer
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ("pg_hba.conf rejects connection", "28000"),
        ("Peer authentication failed", "28000"),
        ('role "', "28000"),
        ('database "', "3D000"),
    ):
        if words in sentence and ("does not exist" in sentence or not words.endswith('"')):
            return state
    return None


R = TypeVar("R")


class Bounded(Connection[DictRow]):
    """A connection on which no answer is waited for without an end, though it may take as long as the server works.

    Where the server says nothing for some seconds, another connection asks why (`ledger.store.silence`). A bound that
    the caller has set (`clock.until`) holds whatever the server does.
    """

    conninfo: str | None = None  # how another is made, to ask why this one is silent
    server = ("", 0)  # which server answers: when it started, and the process there that is this connection's
    made_at = 0.0
    behind_pooler = False
    given_up = False
    waited_for: str | None = None  # a lock, and who holds it, as it was last seen
    heard = False  # whether it has listened for notifications: then silence is nothing
    speaker = ""  # the owner that its name says
    named_here = False  # and not by the caller

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.process = os.getpid()  # whose it is
        forks.register(self)

    def begin_anew(self) -> None:
        """Be a closed connection from now on, in a child: the open one is its parent's.

        Its file leads nowhere from here on, so that nothing can be said over it, and the database hears it when the
        parent has gone.
        """
        if self.closed:
            return
        with suppress(psycopg.Error, OSError):
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, self.pgconn.socket, inheritable=False)
            os.close(nowhere)
        forks.abandon(self.pgconn)
        self.pgconn, self.lock = _closed(), threading.Lock()

    def note_server(self, started: str, pid: int) -> None:
        """Know which server answers, and whether through a pooler.

        A server tells who connects which of its processes will answer; a pooler cannot know it then, and tells
        something.
        """
        self.server, self.made_at = (started, pid), clock.monotonic()
        self.behind_pooler = self.pgconn.backend_pid != pid

    @property
    def had_its_turn(self) -> bool:
        """Whether others had better have its session: a pooler gives one to whoever has waited longest."""
        return self.behind_pooler and clock.monotonic() - self.made_at >= TURN_SECONDS_MAX

    def speak_as(self, speaker: str) -> bytes:
        """What lets the server show that this owner speaks, nothing where it does; a name that was given stands."""
        before, self.speaker = self.speaker, speaker
        anew = self.named_here and before != speaker
        return f"SET application_name = '{process.name(speaker)}'".encode() if anew else b""

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """As psycopg does, within bounds; raises `psycopg.OperationalError` where they end, and is closed then."""
        try:
            return super().wait(gen if self.heard else self._heed(gen), *arguments, **options)
        except psycopg.Error as error:
            if self.given_up:  # whatever comes now answers nobody
                self.close()
            if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                error.by_setting = self._is_read_only_by_setting()  # type: ignore[attr-defined]
            if isinstance(error, psycopg.errors.InsufficientPrivilege):
                error.conninfo = self.conninfo  # type: ignore[attr-defined]
            if isinstance(error, psycopg.errors.LockNotAvailable):
                error.waited_for, self.waited_for = self.waited_for, None  # type: ignore[attr-defined]
            raise

    def _is_read_only_by_setting(self) -> bool:
        """Whether a primary takes no writes of this session because a setting says so; the server tells of both."""
        settings = {
            name: self.pgconn.parameter_status(name) for name in (b"in_hot_standby", b"default_transaction_read_only")
        }
        return [*settings.values()] == [b"off", b"on"]

    def notifies(self, **options: Any) -> Any:
        """As psycopg does; such a connection is not handed out again."""
        self.heard = True
        return super().notifies(**options)

    def _heed(self, gen: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        silence: Silence | None = None
        try:
            wanted = next(gen)
            while True:
                while not (ready := (yield wanted)):
                    silence = silence or self._silence()
                    silence.heed()
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _silence(self) -> "Silence":
        from ledger.store.silence import Silence  # noqa: PLC0415 - seldom needed, and most commands ask and end

        return Silence(self)

    @classmethod
    def _connect_gen(cls, *arguments: Any, **options: Any) -> Any:
        """As psycopg does, within the caller's bound: its own is of whole seconds, 2 at least."""
        return _in_time(super()._connect_gen(*arguments, **options))


def _closed() -> pq.abc.PGconn:
    """A connection to nothing, over which nothing was ever said."""
    connection = pq.PGconn.connect_start(b"none")
    connection.finish()
    return connection


def _in_time(gen: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
    try:
        wanted = next(gen)
        while True:
            since = clock.monotonic()
            while not (ready := (yield wanted)):
                if not clock.seconds_left(1):
                    raise psycopg.OperationalError("no connection in the time that there was")
                patience.heed(clock.monotonic() - since)
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def connect(conninfo: str, speaker: str = "") -> Bounded:
    """One connection outside the pool, for what is done once; raises `Unavailable`.

    `speaker` is the owner that it is made for, for whoever looks at the server.
    """
    return connect_as(Bounded, conninfo, speaker)


C = TypeVar("C", bound=Bounded)


def connect_as(kind: type[C], conninfo: str, speaker: str = "") -> C:
    """The same, of a class of its own."""
    with in_our_words:
        connection = kind.connect(_with_defaults(conninfo, speaker), row_factory=dict_row, autocommit=True)
        with closed_on_error(connection):
            _keep_alive(connection)
            row = _first_answer(connection)
            connection.conninfo = conninfo
            connection.note_server(row["started"], row["pid"])
            options = {option.keyword: option.val for option in connection.pgconn.info}
            ours = options[b"fallback_application_name"] == process.name(speaker).encode()
            connection.speaker, connection.named_here = speaker, ours and options[b"application_name"] is None
    return connection


def _first_answer(connection: Bounded) -> DictRow:
    """Set what is relied on, and hear who answers; where nobody does in time, the error is `unserved`."""
    began = clock.monotonic()
    try:
        with clock.until(began + FIRST_ANSWER_SECONDS_MAX):
            answers = connection.execute(f"{_SET}; {_VIEWS_ARE_READ}; {_BOUNDED}; {_WHO_ANSWERS}")
    except psycopg.OperationalError as error:
        if not connection.given_up:
            raise
        silent = psycopg.OperationalError(
            f"it takes connections, but has answered nothing over one for {clock.monotonic() - began:.0f} s, as a "
            "pooler does that has no session free"
        )
        silent.unserved = True  # type: ignore[attr-defined]
        raise silent from error
    while answers.nextset():
        pass
    return answers.fetchall()[0]


@contextmanager
def closed_on_error(resource: "Closes") -> Iterator[None]:
    """Let what was opened go where it cannot be made ready."""
    try:
        yield
    except BaseException:
        resource.close()
        raise


class Closes(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Let it go."""


def _with_defaults(conninfo: str, speaker: str = "") -> str:
    """The conninfo with a name, and a bound on connecting, where it, its service and the environment have none."""
    options = conninfo_to_dict(conninfo)
    defaults: dict[str, Any] = {}
    if "fallback_application_name" not in options:
        defaults["fallback_application_name"] = process.name(speaker)
    if "connect_timeout" not in options and "PGCONNECT_TIMEOUT" not in os.environ:
        service = options.get("service") or os.environ.get("PGSERVICE")
        seconds = _of_service(str(service), "connect_timeout") if service else None
        defaults["connect_timeout"] = seconds or CONNECT_SECONDS_MAX
    return make_conninfo(conninfo, **defaults)


def _of_service(service: str, name: str) -> str | None:
    """What a service file says of an option, which psycopg does not ask for this one."""
    from configparser import ConfigParser, Error  # noqa: PLC0415 - only where a service is named

    folder = os.environ.get("PGSYSCONFDIR")
    own = os.environ.get("PGSERVICEFILE") or os.path.expanduser("~/.pg_service.conf")  # noqa: PTH111 - there may be no home
    for path in (own, f"{folder}/pg_service.conf" if folder else "/etc/postgresql-common/pg_service.conf"):
        file = ConfigParser(interpolation=None, strict=False)
        with suppress(Error, OSError):
            file.read(path, encoding="utf-8")
        if file.has_section(service):
            return file.get(service, name, fallback=None)
    return None


def _keep_alive(connection: Connection[Any]) -> None:
    """Let the system see within seconds that the other end is gone, except where something else was said.

    libpq knows what was said, be it in the conninfo, its service or the environment.
    """
    options = {option.keyword.decode(): option.val for option in connection.pgconn.info}
    given = {keyword for keyword, value in options.items() if value is not None}
    if options.get("keepalives") == b"0":
        given |= _KEPT_ALIVE.keys() - {"tcp_user_timeout"}
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
        if end.family not in (socket.AF_INET, socket.AF_INET6):
            return
        for keyword, (option, value) in _KEPT_ALIVE.items():
            if keyword not in given and hasattr(socket, option):
                end.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def configure(connection: Connection[Any]) -> None:
    """Set what the ledger relies on, which `connect` has done for those that it made, and how it reads and plans.

    JSON is read by pydantic, from bytes, in a third of the time; it gives the same values.

    Each statement is planned once, for whatever it is asked, since there is one right plan; planning takes longer than
    the answer. A session of a pooler is let go by the server where it is idle, since others may wait for it.
    """
    connection.autocommit = True
    set_json_loads(from_json, connection)
    connection.execute("SET plan_cache_mode = force_generic_plan")
    if not isinstance(connection, Bounded):
        connection.execute(_SET)
    elif connection.behind_pooler:
        connection.execute(f"SET idle_session_timeout = '{TURN_SECONDS_MAX}s'")
