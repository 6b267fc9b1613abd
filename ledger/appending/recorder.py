"""The one way in: `append`, which decides and records a batch of transitions in one transaction.

Under the append lock it reads the streams concerned, lets each transition be judged in order, and writes the events
together with the views as they leave them. It is right because nobody else writes until the transaction ends: what was
read still holds, and the positions that the events get are known, or else nothing is recorded.

A lost connection is no answer: the append lock is taken anew, which waits for the lost transaction to end, and the
events are looked for by their ids; what is not there was not recorded and is tried once more. So an answer is never
guessed, and an append happens once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import ceil
from typing import Any, NamedTuple, cast

import psycopg
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.rows import DictRow
from pydantic_core import to_json

from ledger import forks
from ledger.appending.committer import Committer
from ledger.appending.judge import Judge, Judgement, Rest
from ledger.appending.line import Appending, Line
from ledger.appending.shelf import Shelf
from ledger.appending.submission import Submission
from ledger.appending.workspace import Workspace
from ledger.domain.commands import Transition
from ledger.domain.cursor import Cursor
from ledger.domain.decisions import Decision, Disposition
from ledger.domain.events import CancelRequested, Event, Expired
from ledger.domain.receipt import Receipt
from ledger.domain.trees import OF_TREES
from ledger.errors import DatabaseAway, IntegrityFailure, LedgerError, OutcomeUnknown, PositionAhead, Unavailable
from ledger.store import append_lock
from ledger.store.connection import translate
from ledger.store.datastore import Datastore
from ledger.store.feed import ask_end
from ledger.store.mapper import id_in, mark_of, write_row
from ledger.store.replication import AWAIT_STANDBY, CANCELLED, confirmed, cut_short
from ledger.store.standpoint import Standpoint
from ledger.store.statements import load_statements
from ledger.store.views import Session, Views

SQL = load_statements("ledger.appending")
PART_MIN, PARTS_MAX = 24, 6  # the database writes a part of a batch while the next one is decided


class Unfinished(NamedTuple):
    """The answer to what is said of a whole tree, where it may have to be said of more jobs of it."""

    said: Transition
    receipt: Receipt


Answer = Receipt | LedgerError
Reply = Answer | Unfinished
Meanwhile = Callable[[], None]  # what a caller has to do while the database works
Piece = tuple[Transition, Judge, Meanwhile | None]
Said = Transition | Submission | LedgerError  # what a caller says, or would, or failed to
Request = tuple[Said, Judge, Meanwhile | None]
Place = tuple[str, int]  # of an event: its stream and version


class Recorder(PostgresApplicationRecorder):
    """The library's recorder with one method of our own, and with an advisory lock in place of its table lock."""

    datastore: Datastore

    def __init__(self, datastore: Datastore, views: Views, allowed_unsafe: Collection[str] = ()) -> None:
        super().__init__(datastore)
        self._allowed_unsafe = allowed_unsafe
        bound = f"SET LOCAL lock_timeout = '{append_lock.WAIT_SECONDS_MAX}s'"
        self.lock_table_statements = [bound.encode(), append_lock.TAKE.encode()]
        self._views = views
        self._shelf = Shelf()
        self._committer = Committer[Request, Reply | Exception](self._hear)
        self._line = Line(datastore.conninfo, self._shelf.clear)
        self.standpoint = Standpoint()
        self._speakers: list[str] = []
        forks.register(self)

    def begin_anew(self) -> None:
        """Keep no folded stream: in a child, a thread of its parent may have had it in hand."""
        self._shelf.clear()

    def speak_for(self, owner: str) -> None:
        """Let the connections say from now on that this owner speaks."""
        self._speakers.append(owner)
        self._name_connections()

    def speak_no_more_for(self, owner: str) -> None:
        """Let them say it no longer."""
        self._speakers.remove(owner)
        self._name_connections()

    def _name_connections(self) -> None:
        self.datastore.speaker = self._line.speaker = " ".join(dict.fromkeys(self._speakers))

    def append(
        self, batch: Sequence[Transition | LedgerError], judge: Judge, meanwhile: Meanwhile | None = None
    ) -> list[Answer]:
        """Record a batch: for each transition its receipt, or the error that it alone gets; an error is its own answer.

        Every transition has an id. Callers that come at the same time share a transaction. `meanwhile` is called, in
        whichever thread, when the database has something to do first: at most a few times, and never after the answer.
        Raises `Unavailable`, and then nothing is recorded, or `OutcomeUnknown`.
        """
        answers = self._committer.submit([(said, judge, meanwhile) for said in batch])
        if any(type(answer) is Unfinished for answer in answers):
            answers = self._finish(answers, judge)
        return cast("list[Answer]", answers)

    def record(self, submission: Submission, judge: Judge) -> Receipt:
        """Record one transition; raises the error that it gets.

        Of the callers that share a transaction one reads what all want. One after the other, in one thread, takes half
        of the time that it takes each in a thread of its own, which the processor has to warm to first.
        """
        answer = self._committer.submit([(submission, judge, None)])[0]
        if type(answer) is Unfinished:
            (answer,) = self._finish([answer], judge)
        if isinstance(answer, Exception):
            try:
                raise answer
            finally:
                del answer  # else its traceback holds this frame, and this frame holds it
        return cast("Receipt", answer)

    # --- Trees of which more is to be said than one append may

    def _finish(self, answers: Sequence[Reply | Exception], judge: Judge) -> list[Reply | Exception]:
        """The answers, once what is said of trees is said of all jobs of them."""
        try:
            rest = self._rest([answer.said for answer in answers if isinstance(answer, Unfinished)])
            return [
                self._go_on(answer, rest.get((answer.said.job, answer.said.fact.name), []), judge)
                if isinstance(answer, Unfinished)
                else answer
                for answer in answers
            ]
        except Unavailable as error:
            raise OutcomeUnknown(f"Only a part of a tree may have been spoken of; repeat it ({error}).") from error

    def _rest(self, said: Iterable[Transition]) -> dict[tuple[str, str], list[str]]:
        """The jobs below each that are left, those in front that may keep the tree from leaving."""
        tops: dict[str, set[str]] = {}
        for each in said:
            tops.setdefault(each.fact.name, set()).add(each.job)
        with self.datastore.connection() as connection, confirmed(connection):  # by others too, where none are left
            found = {name: self._views.left_below(connection, sorted(jobs), name)() for name, jobs in tops.items()}
        return {(top, name): names for name, below in found.items() for top, names in below.items()}

    def _go_on(self, answer: Unfinished, names: Sequence[str], judge: Judge) -> Reply | Exception:
        said, receipt = answer
        rest, events = Rest(names), receipt.events
        while rest:
            part = self._committer.submit([(said, rest, None)])[0]
            if isinstance(part, Unfinished):  # others took the room of that append
                part = part.receipt
            if not isinstance(part, Receipt):
                return part
            events += part.events
            rest.go_on()
        if type(said.fact) is Expired:  # its root comes last
            last = self._committer.submit([(said, judge, None)])[0]
            if isinstance(last, Unfinished):
                return self._finish([last], judge)[0]
            if not isinstance(last, Receipt):
                return last
            receipt, events = last, events + last.events
        return receipt._replace(events=events)

    def close(self) -> None:
        """Take no more batches, and wait until everybody who waits has an answer."""
        self._committer.close()
        self._line.close()

    def _hear(self, batch: Sequence[Request]) -> list[Reply | Exception]:
        """The answers to a group, whose submissions are read here; of those that cannot be read, why."""
        heard: list[Transition | Exception] = []
        pieces: list[Piece] = []
        for said, judge, meanwhile in batch:
            read = _read(said) if isinstance(said, Submission) else said
            heard.append(read)
            if isinstance(read, Transition):
                pieces.append((read, judge, meanwhile))
        answers = iter(self._commit(pieces) if pieces else ())
        return [next(answers) if isinstance(read, Transition) else read for read in heard]

    def _commit(self, batch: Sequence[Piece]) -> list[Reply]:
        try:
            answers = self._try(batch)
        except BaseException:
            self._shelf.clear()
            raise
        receipts = []
        for answer in answers:
            receipt = answer.receipt if isinstance(answer, Unfinished) else answer
            if isinstance(receipt, Receipt):
                receipts.append(receipt)
        self.standpoint.keep(receipts)
        return answers

    def _try(self, batch: Sequence[Piece], *, again: bool = True) -> list[Reply]:
        attempt = Attempt()
        try:
            return self._append(batch, attempt)
        except psycopg.Error as error:
            self._shelf.clear()
            if error.sqlstate in _STOOD_STILL:
                self._line.go_slowly()
            if _took_connection(error):
                found = self._find(attempt)
                if found is not None:
                    return found
                if again:
                    return self._try_again(batch, attempt)
            elif isinstance(error, psycopg.errors.LockNotAvailable) and not attempt.begun:
                raise append_lock.held(self.datastore.conninfo, error) from error
            elif len(batch) > 1 and error.sqlstate not in _OF_NO_CALLER:
                return [self._alone(said, judge) for said, judge, _ in batch]
            raise attempt.tell(error) from error
        except IntegrityFailure as error:
            self._shelf.clear()
            if len(batch) == 1 or type(error) is PositionAhead:
                raise
            return [self._alone(said, judge) for said, judge, _ in batch]  # what is wrong may be of one job alone

    def _try_again(self, batch: Sequence[Piece], attempt: "Attempt") -> list[Reply]:
        try:
            return self._try(batch, again=False)
        except DatabaseAway as error:
            if attempt.waits:
                raise cut_short("lost") from error
            raise

    def _alone(self, said: Transition, judge: Judge) -> Reply:
        """The answer of one of a batch that failed together, so that nobody answers for another."""
        try:
            return self._try([(said, judge, None)])[0]
        except LedgerError as error:
            return error

    def _append(self, batch: Sequence[Piece], attempt: "Attempt") -> list[Reply]:
        with self._line.transaction(attempt.hear) as session:
            answers = self._decide_and_write(session, batch, attempt)
        if attempt.unsure:
            self._shelf.clear()
            raise cut_short("cancelled")
        attempt.keep()
        if attempt.events or attempt.waits:
            session.replicated.reach(attempt.head)
        self._reach(attempt)
        return answers

    def _reach(self, attempt: "Attempt") -> None:
        """Know the last event that an append saw or recorded; on what was read up to there others may rest."""
        if attempt.events:
            event = attempt.events[-1]
            self.standpoint.reach(Cursor(attempt.head, event.id), mark_of(event.id))
        elif attempt.ends_with:
            self.standpoint.reach(Cursor(attempt.head, id_in(attempt.ends_with)), attempt.ends_with)

    def _decide_and_write(self, session: Appending, batch: Sequence[Piece], attempt: "Attempt") -> list[Reply]:
        """Ask, under the lock; then write the events, and the views as they will be, without waiting for an answer."""
        said_by_all = [said for said, *_ in batch]
        meanwhile = dict.fromkeys(work for *_, work in batch if work is not None)
        workspace, head = self._read(session, said_by_all, meanwhile)
        attempt.begin(said_by_all, workspace)
        size = max(PART_MIN, ceil(len(batch) / PARTS_MAX))
        for start in range(0, len(batch), size):
            for said, judge, _ in batch[start : start + size]:
                attempt.judgements.append(_judge(said, workspace, judge))
            if workspace.unwritten:
                _insert(session, workspace.unwritten)
                session.together.send()  # the database works on it while it is said what the views become
                workspace.write_views(head)
                if meanwhile or start + size < len(batch):
                    session.together.send()
        for work in meanwhile:
            work()
        attempt.head = head + len(workspace.events)
        answers = attempt.answer(session, range(head + 1, attempt.head + 1))
        if not attempt.events and attempt.head > self.standpoint.known.cursor:
            attempt.ends_with = bytes(ask_end(session)["state"])
        if not attempt.events and session.replicated.lacks(attempt.rests_on):
            attempt.waits = True
            session.execute(AWAIT_STANDBY)
        return answers

    def _read(
        self, session: Appending, batch: Sequence[Transition], meanwhile: Collection[Meanwhile]
    ) -> tuple[Workspace, int]:
        """What decisions about a batch depend on, as it stands under the append lock, and the last position."""
        look = self._views.look(session, self.standpoint.known)
        session.together.send()  # the database comes to the lock while it is said what else is asked
        workspace = Workspace(session, self._views, self._shelf)
        read = workspace.ask(batch)
        if meanwhile:
            session.together.send()
        for work in meanwhile:
            work()
        head, behind, durability = look()
        durability.check(self._allowed_unsafe)
        session.replicated.heed(durability)
        if behind:  # what was asked of the views was asked too early
            workspace = Workspace(session, self._views, self._shelf)
            read = workspace.ask(batch)
        read()
        return workspace, head

    def _find(self, attempt: "Attempt") -> list[Reply] | None:
        """The answers of an append whose commit was not answered; None where it was not recorded."""
        if not attempt.events:
            return None
        try:
            with self.datastore.raw_connection() as connection, confirmed(connection):
                append_lock.take(connection)
                found = attempt.find(connection)
        except OutcomeUnknown:
            raise
        except (psycopg.Error, Unavailable) as error:
            raise OutcomeUnknown(
                "The connection was lost before the append was answered, and the database cannot be asked; repeat it."
            ) from error
        if found is not None:
            self._reach(attempt)
        return found


_STOOD_STILL = ("25P03", "25P04")
_OF_NO_CALLER = ("25006", "53100", "55P03")  # read-only, disk full, a lock not available: each would be told the same


def _took_connection(error: psycopg.Error) -> bool:
    """Whether an error took the connection, so that it says nothing of the append; SQLSTATE classes 08 and 57P.

    So does the end of a transaction whose process stood still, or that took longer than the server allows any.
    """
    away = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    state = error.sqlstate
    return state in _STOOD_STILL or (away and (state is None or state.startswith(("08", "57P"))))


def _translate(error: psycopg.Error) -> LedgerError:
    """The error in our words; one is that the events did not get the positions that the views were written for."""
    null = isinstance(error, psycopg.errors.NotNullViolation)
    if not null or (error.diag.table_name, error.diag.column_name) != ("tracking", "position"):
        return translate(error)
    return IntegrityFailure(
        "Events must be placed behind the last one without gaps, and the database has placed them elsewhere; run "
        f"jobledger doctor ({error.diag.message_primary})."
    )


def _read(submission: Submission) -> Transition | Exception:
    try:
        return submission.transition()
    except LedgerError as error:
        return _untraced(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others of the group shall not get it
        return error


def _untraced(error: LedgerError) -> LedgerError:
    """The error without the frames that it came through, for they hold what all of the group have said."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def _judge(said: Transition, workspace: Workspace, judge: Judge) -> Judgement | LedgerError:
    try:
        judgement = judge(said, workspace)
    except LedgerError as error:
        return _untraced(error)
    workspace.take(judgement.decision)
    return judgement


def _insert(session: Session, events: Sequence[Event]) -> None:
    """Write events; a lone one without the JSON that saves others a round trip each."""
    if len(events) == 1:
        session.execute(SQL["insert_event"], write_row(events[0])._asdict())
        return
    streams, versions, topics, states = zip(*map(write_row, events), strict=True)
    columns = {"streams": streams, "versions": versions, "topics": topics}
    lists = {name: to_json(column).decode() for name, column in columns.items()}
    session.execute(SQL["insert_events"], lists | {"states": b"\n".join(states).decode()})


class Attempt:
    """One try at an append: what it decided, so that it can be answered, now or after the connection was lost."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.unsure = self.begun = self.waits = False
        self.head = self.rests_on = 0
        self.ends_with = b""
        self.judgements: list[Judgement | LedgerError] = []
        self._batch: Sequence[Transition] = ()
        self._workspace: Workspace | None = None

    def begin(self, batch: Sequence[Transition], workspace: Workspace) -> None:
        """Note what is being decided, before anything is written."""
        self._batch, self._workspace, self.begun = batch, workspace, True
        self.events = workspace.events

    def hear(self, notice: psycopg.errors.Diagnostic) -> None:
        """Take a warning at commit for what it is: a standby was not waited for."""
        if notice.sqlstate == CANCELLED:
            self.unsure = True

    def tell(self, error: psycopg.Error) -> LedgerError:
        """The error in our words; one that took the connection while a standby was waited for says nothing else."""
        return cut_short("lost") if self.waits and _took_connection(error) else _translate(error)

    def keep(self) -> None:
        """Leave the folded streams for the next append."""
        if self._workspace:
            self._workspace.keep()

    def answer(self, session: Session, placed: Iterable[int]) -> list[Reply]:
        """The receipts, where the events have these positions."""
        judged = [*zip(self._batch, self.judgements, strict=True)]
        told = {
            _place(said, judgement)
            for said, judgement in judged
            if isinstance(judgement, Judgement) and not judgement.decision.events
        }
        known = self._positions(session, told, placed) if told else {}
        # What was said of a tree was said of jobs below too, in events that are not looked for.
        of_trees = any(type(said.fact) in OF_TREES for said in self._batch)
        self.rests_on = self.head if of_trees else max(known.values(), default=0)
        coming = iter(placed)
        return [_receipt(said, judgement, coming, known) for said, judgement in judged]

    def _positions(self, session: Session, told: set[Place], placed: Iterable[int]) -> dict[Place, Cursor]:
        """Where it stands what was told before, in this append or in an earlier one."""
        here = {
            (event.stream, event.version): Cursor(position, event.id)
            for event, position in zip(self.events, placed, strict=True)
        }
        return here | _by_place(_select_rows(session, told - here.keys()))

    def find(self, session: Session) -> list[Reply] | None:
        """The receipts where every event is on record under its own id; None where none is."""
        places = {(event.stream, event.version): event.id for event in self.events}
        rows = _select_rows(session, places)
        for row in rows:
            if id_in(bytes(row["state"])) != places[row["originator_id"], row["originator_version"]]:
                return None
        if len(rows) < len(places):
            return None
        found = _by_place(rows)
        self.head = max(found.values())
        return self.answer(session, [found[place] for place in places])


def _place(said: Transition, judgement: Judgement) -> Place:
    return f"{said.fact.kind}:{said.job}", judgement.decision.version


def _receipt(
    said: Transition, judgement: Judgement | LedgerError, coming: Iterator[int], known: Mapping[Place, Cursor]
) -> Reply:
    """The answer to a transition; its events, if any, have the positions that come next, its own the first of them."""
    if isinstance(judgement, LedgerError):
        return judgement
    decision = judgement.decision
    unfinished = decision.unfinished or _may_be_left(said, decision)
    positions = [*islice(coming, len(decision.events))]
    if decision.error is not None:
        return decision.error
    position = Cursor(positions[0], decision.events[0].id) if positions else known[_place(said, judgement)]
    met, events = judgement.overlaps, len(positions)
    receipt = Receipt(decision.disposition, said.job, decision.version, position, met, events, judgement.overlapping)
    return Unfinished(said, receipt) if unfinished else receipt


def _may_be_left(said: Transition, decision: Decision) -> bool:
    """Whether whoever asked for this before may have been killed before it was said of all jobs below."""
    return type(said.fact) is CancelRequested and decision.disposition is Disposition.UNCHANGED and not decision.events


def _by_place(rows: Iterable[DictRow]) -> dict[Place, Cursor]:
    return {
        (row["originator_id"], row["originator_version"]): Cursor(row["notification_id"], id_in(bytes(row["state"])))
        for row in rows
    }


def _select_rows(session: Session, places: Any) -> list[DictRow]:
    if not places:
        return []
    streams, versions = zip(*places, strict=True)
    parameters = {"streams": list(streams), "versions": list(versions)}
    return session.execute(SQL["select_positions"], parameters).fetchall()
