"""The ledger: one method a command, and the questions that are asked of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypedDict, Unpack

from ledger import clock
from ledger.appending.dispatch import dispatch
from ledger.appending.judge import Judge, judge_now, judge_unrecorded
from ledger.appending.losses import Loss, Losses
from ledger.appending.recorder import Recorder
from ledger.appending.submission import Record, Submission
from ledger.appending.sweep import sweep
from ledger.asking import waiting
from ledger.asking.answers import (
    Beats,
    BusyAnswer,
    JobFilter,
    JobView,
    Leases,
    LedgerQueries,
    OwnerView,
    TreeExpiry,
    Unsettled,
)
from ledger.asking.moment import Past, open_past
from ledger.asking.questions import Questions
from ledger.asking.search import Search, Tell
from ledger.domain.commands import Transition
from ledger.domain.cursor import Cursor, asked_place
from ledger.domain.decisions import Disposition
from ledger.domain.entities import EntityRef
from ledger.domain.epoch import OwnerEpoch
from ledger.domain.events import RecordedEvent
from ledger.domain.filters import Filter
from ledger.domain.numbers import asked_number, asked_seconds
from ledger.domain.owner import Owner
from ledger.domain.receipt import Receipt
from ledger.domain.retention import PRESETS, Retention
from ledger.domain.states import Phase
from ledger.errors import (
    AlreadyClaimed,
    IllegalTransition,
    JobNotFound,
    LedgerError,
    OutcomeUnknown,
    StreamDamaged,
)
from ledger.owners.epochs import Census, Owners, StartedOwner
from ledger.records.importer import Importer, ImportSummary, Overlap, Rejected
from ledger.store.feed import Feed

LEASE_SECONDS = 30.0
LEASE_SECONDS_MIN = 0.001


class EnvelopeFields(TypedDict, total=False):
    """What may be said with every command: when, by whom, why, for which owner, and under which id."""

    at: datetime | str
    id: str
    actor: str
    reason: str
    owner: str
    epoch: int
    raw: str
    traceparent: str


class Ledger(Questions):
    """The system of record of long-running operations; safe to share between threads.

    Commands return a `Receipt` with the position at which the answer stands. Every command can be repeated: what was
    told before is `unchanged`. All raise `BadInput`, `NotFound`, `Conflict` or `Unavailable`.
    """

    def __init__(
        self,
        recorder: Recorder,
        feed: Feed,
        queries: LedgerQueries,
        leases: Leases,
        close: Callable[[], None],
        *,
        owner: OwnerEpoch | None = None,
        begun_by: str | None = None,
        beats: Beats | None = None,
    ) -> None:
        super().__init__(queries, close)
        self._beats = beats
        self._all = queries
        self._recorder = recorder
        self._feed = feed
        self._leases = leases
        self._owners = Owners(feed, queries, leases)
        self._losses = Losses(feed, recorder.standpoint, self._record_loss)
        self.owner = owner
        self._begun_by = begun_by

    # --- Commands

    def record(self, record: Record) -> Receipt:
        """Record one transition, given as a transition record."""
        return self._append(record, judge_now)

    def _append(self, record: Record, judge: Judge) -> Receipt:
        return self._tell(self._submission(record), judge)

    def _tell(self, submission: Submission, judge: Judge) -> Receipt:
        try:
            return self._recorder.record(submission, judge)
        except OutcomeUnknown as error:
            raise error.by(partial(self._tell, submission, judge), id=submission.transition().id) from error

    def record_each(self, batch: Sequence[Transition], judge: Judge = judge_now) -> list[Receipt | LedgerError]:
        """Record several transitions in one append, in order: for each its receipt, or the error that it alone gets."""
        return self._tell_each([self._submission(said).transition() for said in batch], judge)

    def _tell_each(self, batch: Sequence[Transition], judge: Judge) -> list[Receipt | LedgerError]:
        try:
            return self._recorder.append(batch, judge)
        except OutcomeUnknown as error:
            raise error.by(partial(self._tell_each, batch, judge)) from error

    def _record_loss(self, record: Mapping[str, Any]) -> Receipt:
        return self._recorder.record(Submission(record), judge_now)

    def _submission(self, record: Record) -> Submission:
        if self._beats is not None:
            self._beats.go_on()
        return Submission(record, self.owner, self._begun_by)

    def _say(self, job: str, event: str, fields: Mapping[str, Any], envelope: EnvelopeFields) -> Receipt:
        given = {key: value for key, value in fields.items() if value is not None}
        return self.record({"job": job, "event": event, **given, **envelope})

    def plan(
        self,
        type: str,  # noqa: A002 - the field's word
        *,
        job: str | None = None,
        record_refusal: bool = True,
        **terms: Any,
    ) -> Receipt:
        """Put a job on record before its executor is called.

        `terms` are those of the transition record:
        - `entities`: each with its `type` and `id`, and where need be its `role` (else `target`) and `access`
          (`exclusive`, or else `shared` or `none`);
        - `children`: plans of jobs below it, each with its `type` and, where it is to be known, `job`, and these terms;
        - `limits`: each the `type` of jobs of which at most `at_most` may be active on an `entity` (`type`, `id`);
        - `end_action`: how a parent closes: `none` (by a report), `auto` (with its last child), `owner` (claimed);
        - `retention`: `default`, `hyperv`, or `keep_for` and `dwell` in seconds and `keep_at_most`;
        - `params`, `deadline`, `parent`, `retry_of`, `required`, `cancellable`;
        - `actor`, `reason`, `owner`, `epoch`, `at`, `id`, as every transition may have them.

        Raises `EntityBusy` where another tree holds an entity or a limit is full; the refusal is then on record, unless
        `record_refusal` is false: for a caller that asks again and again until it is admitted.
        """
        given = {key: value for key, value in terms.items() if value is not None}
        record = {"event": "planned", "type": type, "job": job or clock.new_id(), **given}
        return self._append(record, judge_now if record_refusal else judge_unrecorded)

    def dispatch(
        self, job: str, call: Callable[[str], str | None], *, executor: str, **envelope: Unpack[EnvelopeFields]
    ) -> Receipt:
        """Call an executor the safe way round: record `submitted` with a fresh token, call, record `accepted`.

        `call` takes the token and returns the external id, or None where the executor gives none. A planned job whose
        cancelling was asked for is recorded as `cancelled` instead, and not called. Where `call` raises, the job stays
        `submitted`: recovery can find the call again by its token. Once it was called, the facts of every error have
        the `executor`, the `token` and the `external_id`, and `OutcomeUnknown.again()` does not call again.
        """
        return dispatch(self.record, job, call, executor, envelope)

    def submit(self, job: str, executor: str, token: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that the executor is about to be called, under this token."""
        return self._say(job, "submitted", {"executor": executor, "token": token}, envelope)

    def accept(
        self, job: str, external_id: str, executor: str | None = None, **envelope: Unpack[EnvelopeFields]
    ) -> Receipt:
        """Say that the executor took the job and how it named it."""
        return self._say(job, "accepted", {"external_id": external_id, "executor": executor}, envelope)

    def start(
        self, job: str, executor: str | None = None, external_id: str | None = None, **envelope: Unpack[EnvelopeFields]
    ) -> Receipt:
        """Say that the executor has begun."""
        return self._say(job, "started", {"executor": executor, "external_id": external_id}, envelope)

    def progress(
        self,
        job: str,
        percent: float | None = None,
        *,
        done: float | None = None,
        total: float | None = None,
        unit: str | None = None,
        message: str | None = None,
        estimated_end: datetime | str | None = None,
        **envelope: Unpack[EnvelopeFields],
    ) -> Receipt:
        """Say how far the executor has come."""
        fields = {"percent": percent, "done": done, "total": total, "unit": unit, "message": message}
        return self._say(job, "progressed", {**fields, "estimated_end": estimated_end}, envelope)

    def suspend(self, job: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that the executor has paused the job."""
        return self._say(job, "suspended", {}, envelope)

    def resume(self, job: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that the executor goes on with the job."""
        return self._say(job, "resumed", {}, envelope)

    def cancel(self, job: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Ask that a job and all active jobs below it be cancelled; they may still succeed."""
        return self._say(job, "cancel_requested", {}, envelope)

    def attach(self, job: str, entities: Sequence[Mapping[str, Any]], **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that the job touches further entities from now on; raises `EntityBusy` where they are held."""
        return self._say(job, "attached", {"entities": list(entities)}, envelope)

    def detach(self, job: str, entities: Sequence[Mapping[str, Any]], **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that the job lets entities go."""
        return self._say(job, "detached", {"entities": list(entities)}, envelope)

    def lose_contact(self, job: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that the executor cannot be reached; the job still counts as running."""
        return self._say(job, "contact_lost", {}, envelope)

    def regain_contact(self, job: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that the executor can be reached again."""
        return self._say(job, "contact_regained", {}, envelope)

    def succeed(self, job: str, result: Any = None, **fields: Any) -> Receipt:
        """Close a job that did what it was for; `fields`: `products`, `warnings`, `residue`, and those of `Said`."""
        return self.record({"job": job, "event": "succeeded", "result": result, **fields})

    def fail(self, job: str, error: Mapping[str, Any] | None = None, **fields: Any) -> Receipt:
        """Close a job that did not; `error` has `code`, `message` and `details`."""
        return self.record({"job": job, "event": "failed", "error": error, **fields})

    def abandon(self, job: str, **fields: Any) -> Receipt:
        """Close a job that was certainly never begun."""
        return self.record({"job": job, "event": "abandoned", **fields})

    def lose(self, job: str, evidence: Any = None, **fields: Any) -> Receipt:
        """Close a job as `unknown`: nobody can say what became of it."""
        return self.record({"job": job, "event": "lost", "evidence": evidence, **fields})

    def resolve(self, job: str, outcome: str, evidence: Any = None, **fields: Any) -> Receipt:
        """Say what became of a job that was closed as `unknown`."""
        return self.record({"job": job, "event": "resolved", "outcome": outcome, "evidence": evidence, **fields})

    def dispute(self, job: str, evidence: Any = None, **fields: Any) -> Receipt:
        """Put evidence beside an outcome, which stands."""
        return self.record({"job": job, "event": "disputed", "evidence": evidence, **fields})

    def hold(self, job: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Keep a job, and so its tree, in the live views."""
        return self._say(job, "hold_placed", {}, envelope)

    def lift_hold(self, job: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Let a held job expire again."""
        return self._say(job, "hold_lifted", {}, envelope)

    def expire(self, policy: Retention = PRESETS["default"], *, limit: int | None = None) -> list[TreeExpiry]:
        """Take the trees out of the live views whose time has come; `policy` is for trees planned without one.

        A tree leaves in one append, one of more than 250 jobs in several and its root in the last. What was held
        since the look stays, and what another sweeper took is not told.
        """
        return sweep(self._queries, self.record_each, policy, limit)

    # --- Owners

    def start_owner(
        self, name: str, *, lease_seconds: float = LEASE_SECONDS, **envelope: Unpack[EnvelopeFields]
    ) -> "Ledger":
        """Begin a new epoch of an owner, which fences every earlier one; the ledger that speaks as it is returned.

        Whatever that ledger records carries the epoch; a thread keeps the lease until it is closed. A fenced one hears
        `StaleEpoch`. A child of this process speaks in the same epoch, and keeps the lease too once it records
        something; only where it was started is the lease given up.
        """
        asked_seconds("A lease", lease_seconds, least=LEASE_SECONDS_MIN)
        return self._begin(
            partial(self._owners.start, name, lease_seconds, self._tell_owner("owner_started", envelope))
        )

    def _begin(self, start: Callable[[], StartedOwner]) -> "Ledger":
        try:
            begun, beats, stop = start()
        except OutcomeUnknown as error:
            raise error.by(partial(self._begin, error.again)) from error
        me, begun_by = begun.of, begun.place.event_id
        self._recorder.speak_for(me.owner)

        def close() -> None:
            stop()
            with suppress(ValueError):  # closed before
                self._recorder.speak_no_more_for(me.owner)

        return Ledger(
            self._recorder, self._feed, self._all, self._leases, close, owner=me, begun_by=begun_by, beats=beats
        )

    def _tell_owner(self, event: str, envelope: EnvelopeFields) -> Callable[[OwnerEpoch], Receipt]:
        return lambda of: self.record({"event": event, **envelope, **of._asdict()})

    def speak_as(self, me: OwnerEpoch, begun_by: str | None = None) -> "Ledger":
        """The ledger that speaks as an owner in an epoch that has begun, and keeps no lease; closing it is nothing.

        Where the id of the event is known that the epoch began with, it speaks only while that is on record.
        """
        return Ledger(self._recorder, self._feed, self._all, self._leases, lambda: None, owner=me, begun_by=begun_by)

    def fence(self, name: str, **envelope: Unpack[EnvelopeFields]) -> Receipt:
        """Say that every epoch of an owner so far may no longer act: it never returns, or must not.

        Raises `OwnerNotFound` for a name of which nothing speaks.
        """
        return self._owners.fence(name, self._tell_owner("owner_fenced", envelope))

    def owners(self) -> list[OwnerView]:
        """Every owner that has active jobs or a lease, each epoch by itself."""
        return self._owners.views()

    def newest_epoch(self, name: str) -> int:
        """The newest epoch of an owner, 0 where none was ever said; raises `OwnerNotFound`."""
        return self._owners.newest(name)

    def census(self, unsettled: Unsettled, names: Iterable[str] = ()) -> Census:
        """The owners of these jobs, those that have a lease, and others by their names, read once."""
        return self._owners.census(unsettled.owners, names)

    def owner_states(self, names: Iterable[str]) -> dict[str, Owner]:
        """What the events say of each owner; one that never started has no epoch."""
        return self._owners.states(names)

    def claim_closing(self, *, job: str | None = None, limit: int = 100) -> list[JobView]:
        """Take the end actions of parents that are due, and of those whose owner is fenced; nobody else gets them.

        With `job`, that one's alone. Only of a ledger that speaks as an owner, which then has to do them all. An end
        action must be repeatable: who took it before may have done it.
        """
        asked_number("A limit", limit)
        claimed = []
        for parent in [*self.due_to_close(limit), *self._left_closing()] if job is None else [self.job(job)]:
            with suppress(AlreadyClaimed, IllegalTransition, StreamDamaged):  # somebody else was faster, or nobody can
                receipt = self.record({"job": parent.job, "event": "closing"})
                if receipt.disposition is Disposition.RECORDED:
                    claimed.append(self.job(parent.job))
            if len(claimed) == limit:
                break
        return claimed

    def _left_closing(self) -> list[JobView]:
        closing = list(self.jobs(JobFilter(phase=Phase.CLOSING, expired=True)))
        states = self.owner_states({job.owner for job in closing if job.owner})
        return [job for job in closing if job.owner and states[job.owner].left_behind(job.epoch)]

    # --- Import

    def import_records(
        self,
        lines: Iterable[bytes],
        *,
        admit: bool = False,
        on_reject: Callable[[Rejected], None] = lambda _: None,
        on_overlap: Callable[[Overlap], None] = lambda _: None,
        on_page: Callable[[ImportSummary], None] = lambda _: None,
    ) -> ImportSummary:
        """Record what has already happened, a transition record a line; memory does not grow with the lines.

        A line that cannot be taken is handed to `on_reject`, and the rest goes on. A line on entities that others hold
        is recorded, counted and handed to `on_overlap`, unless `admit` asks admission. Lines are taken by a thread; an
        error that they end with is raised once what came before it is recorded.
        """
        importer = Importer(self._recorder, on_reject, on_overlap, admit=admit)
        importer.read(lines, on_page)
        importer.summary.position = self._feed.head()
        on_page(importer.summary)
        return importer.summary

    # --- A ledger that went back

    def check_place(self, place: int | None) -> None:
        """Raise `PositionAhead` unless the event that a cursor names is where it says; a bare number is believed."""
        if isinstance(place, Cursor) and place.event_id is not None:
            self._feed.check_place(asked_place("A position", place))

    def lost(self, kept: Iterable[int] = ()) -> Loss:
        """What was acknowledged and is no longer on record: of the last 10,000 receipts of this process, and cursors.

        A ledger loses what it had acknowledged where it is restored from a backup, or fails over to a standby that was
        behind. Whoever knows of that hears `PositionAhead`. A bare number is gone where no event has that position.
        """
        return self._losses.find(kept)

    def accept_loss(self, kept: Iterable[int] = (), *, actor: str | None = None, reason: str | None = None) -> Loss:
        """Put on record that somebody has looked at what was lost, and go on from where the ledger ends.

        What was lost is returned; nothing is recorded where nothing is lost, or where that was accepted before.
        What it told can be told again.
        """
        return self._losses.accept(kept, {"actor": actor, "reason": reason})

    # --- Questions to the events; those to the views are in `ledger.asking.questions`

    def lates(self, jobs: Iterable[str]) -> Iterator[RecordedEvent]:
        """The reports about these jobs that came too late, each job's in order, read page by page."""
        return self._feed.lates(jobs)

    def history(self, job: str, *, after: int = 0, limit: int | None = None) -> Sequence[RecordedEvent]:
        """The events of a job after a position, in order, `limit` at most; raises `JobNotFound`.

        Without a limit it is every one of them: where a job may have very many, `events` reads them page by page.
        """
        events = list(islice(self.events(after, job=job), limit))
        if not events and self._queries.job(job) is None:
            raise JobNotFound(f"No event speaks of job {job}.", job=job)
        return events

    def search(self, which: str | Filter = "", *, tell: Tell | None = None, upto: int | None = None) -> Search:
        """Ask all of history, in the language of `ledger.domain.filters`, as it stood at the position `upto`.

        Raises `MalformedFilter`.
        """
        return Search(self._all.history, which, clock.now(), tell, upto=upto, prove=self.check_place)

    def as_of(self, moment: int | datetime | str, *, occurred: bool = False) -> Past:
        """The ledger as it stood at a position, or at a time: the last position recorded at or before it.

        With `occurred`, the time is that of the callers: what counts is what had occurred by then, as told up to now.
        Raises `MomentNotFound` for a position that no event has, and for a time before the first event.
        """
        return open_past(self._all.past, moment, self.check_place, occurred=occurred)

    def events(self, after: int = 0, *, job: str | None = None) -> Iterator[RecordedEvent]:
        """Every event after a position, up to the end of the ledger, or those of one job; read page by page.

        A row that is none is told as `Damaged`. A `Cursor` is proved, here and wherever a question takes one.
        """
        after = asked_place("A position to read from", after)
        self.check_place(after)
        return self._feed.read(after) if job is None else self._feed.stream(f"job:{job}", after)

    def position(self) -> Cursor:
        """The last position of the ledger; raises `PositionAhead` where this process knows what is no longer there."""
        return self._feed.end()

    def watch(self, after: int | None = None, *, job: str | None = None) -> Iterator[RecordedEvent]:
        """Every event after a position (the end, where none is given), as it comes; of one job until that is closed.

        A position that is a `Cursor`, as receipts and events have it, is proved: raises `PositionAhead` where another
        event stands there, or none. A bare number is believed.
        """
        if after is not None:
            after = asked_place("A position to watch from", after)
        return waiting.watch(self._feed, self._queries, after, job)

    def wait(self, job: str, timeout: float | None = None) -> JobView:
        """The job once it is closed, however; raises `WaitTimedOut` after `timeout` seconds.

        Raises `StreamDamaged` for one that never will be, since nothing more can be recorded of it.
        """
        return waiting.wait(self._feed, lambda: self._closed(job), timeout, f"job {job} to close")

    def _closed(self, job: str) -> waiting.Looked[JobView]:
        view = self.job(job)
        if not view.done:
            waiting.check_whole(view)
        return waiting.Looked(view if view.done else None, (job,))

    def wait_free(self, entity: str | EntityRef, timeout: float | None = None) -> BusyAnswer:
        """The answer once no job is active on the entity; raises `WaitTimedOut` after `timeout` seconds."""
        return waiting.wait(self._feed, lambda: self._free(entity), timeout, f"{entity} to be free")

    def _free(self, entity: str | EntityRef) -> waiting.Looked[BusyAnswer]:
        answer = self.busy(entity)
        # As long as none of those that hold it says anything, it is not free.
        holders = {view.job for view in answer.jobs}
        return waiting.Looked(None if answer.busy else answer, holders)
