"""Every error that the ledger raises, each with a code and its facts.

An error is one sentence: what must hold, what was found, and what to do where that is not plain. `code` is the name
that HTTP and the command line use too, and `facts` holds what the sentence speaks of, ready for JSON. The five families
(`BadInput`, `NotFound`, `Conflict`, `IntegrityFailure`, `Unavailable`) tell a caller what kind of trouble it is.

To add an error: a class below its family, whose docstring says what is so and which facts it has, and whose `code` is
its name in words, which may never change. How a face shows it is the matter of its family (`EXIT_CODES` in
`ledger/service/wire.py`). Raise it with one sentence and its facts, name it in the public docstrings that it passes,
test what it says where it comes up, and put it into `CHANGELOG.md`.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar


class LedgerError(Exception):
    """The base of every error of the ledger; `facts` are what the sentence speaks of, as JSON values."""

    code: ClassVar[str] = "ledger_error"

    def __init__(self, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        self.facts: Mapping[str, Any] = facts


class BadInput(LedgerError):
    """What was said cannot be taken as it stands; saying it again will not help."""

    code = "bad_input"


class MalformedRecord(BadInput):
    """A transition record is not JSON, lacks a field, or has one that no event knows."""

    code = "malformed_record"


class FileDamaged(BadInput):
    """A file ends early, or cannot be read to its end; facts: `file`, and `line`, the last one before that."""

    code = "file_damaged"


class MalformedFilter(BadInput):
    """A filter of history cannot be read; facts: `column`, from 1, and what was `expected` there."""

    code = "malformed_filter"


class MalformedCursor(BadInput):
    """A place in the ledger cannot be read."""

    code = "malformed_cursor"


class HostileText(BadInput):
    """A text holds NUL or half of a surrogate pair, which no database keeps unchanged."""

    code = "hostile_text"


class NotFinite(BadInput):
    """A number is NaN or infinite, which JSON does not know."""

    code = "not_finite"


class NumberOutOfRange(BadInput):
    """A limit, a position or a span is no number that it can be; facts: `least`, `most`."""

    code = "number_out_of_range"


class TimeOutOfRange(BadInput):
    """A time lies outside the years 1970 to 9999, or has no zone."""

    code = "time_out_of_range"


class LimitExceeded(BadInput):
    """The base of the limits; facts: `limit`, `found`."""

    code = "limit_exceeded"


class JobIdTooLong(LimitExceeded):
    """A job id has 1 to 200 characters."""

    code = "job_id_too_long"


class NameTooLong(LimitExceeded):
    """A type or a role has 1 to 64 characters."""

    code = "name_too_long"


class EntityIdTooLong(LimitExceeded):
    """An entity id has 1 to 256 characters."""

    code = "entity_id_too_long"


class TextTooLong(LimitExceeded):
    """An actor, executor, external id, token or owner has 1 to 256 characters, prose at most 65,536."""

    code = "text_too_long"


class TooManyEntities(LimitExceeded):
    """One event names 1,000 entities at most."""

    code = "too_many_entities"


class TooManyChildren(LimitExceeded):
    """One append plans 10,000 children at most."""

    code = "too_many_children"


class PayloadTooLarge(LimitExceeded):
    """Params, a result or an error has 64 KiB of JSON at most."""

    code = "payload_too_large"


class PayloadTooDeep(LimitExceeded):
    """JSON is nested 32 deep at most."""

    code = "payload_too_deep"


class TreeTooDeep(LimitExceeded):
    """A tree of jobs is 16 deep at most."""

    code = "tree_too_deep"


class MalformedNote(BadInput):
    """A signed note or a checkpoint is none, or bears a signature that is not what it claims."""

    code = "malformed_note"


class MalformedKey(BadInput):
    """A key is none that can be used here: its text is damaged, or it is no Ed25519 key."""

    code = "malformed_key"


class KeyUnusable(BadInput):
    """There is no signing key where one must be, others may read it, or it is that of another ledger."""

    code = "key_unusable"


class MalformedProof(BadInput):
    """A proof has too many hashes or too few, or speaks of leaves that its tree has not."""

    code = "malformed_proof"


class MalformedConninfo(BadInput):
    """What should name a database is nothing that libpq reads."""

    code = "malformed_conninfo"


class NotFound(LedgerError):
    """What was asked for never was."""

    code = "not_found"


class JobNotFound(NotFound):
    """No event speaks of this job; facts: `job`."""

    code = "job_not_found"


class OwnerNotFound(NotFound):
    """No event and no job speaks of this owner; facts: `owner`."""

    code = "owner_not_found"


class MomentNotFound(NotFound):
    """No event has this position, or nothing was on record at this time; facts: `position` or `at`, and `head`."""

    code = "moment_not_found"


class NotSealed(NotFound):
    """No checkpoint says what was asked for: nothing is sealed yet, or not at that size; facts: `size`."""

    code = "not_sealed"


class NothingBroken(NotFound):
    """No promise of the ledger is broken at this position, so there is nothing to accept; facts: `position`."""

    code = "nothing_broken"


class Conflict(LedgerError):
    """What was said does not go with what is on record; nothing was lost."""

    code = "conflict"


class Contradiction(Conflict):
    """The same thing was told before, differently; facts: `job`, `field`."""

    code = "contradiction"


class IllegalTransition(Conflict):
    """The transition table has no such step; facts: `job`, `phase`, `event`."""

    code = "illegal_transition"


class ChildrenNotSucceeded(Conflict):
    """A parent succeeds only where its required children did; facts: `job`, the first `children`, `count`."""

    code = "children_not_succeeded"


class ParentClosed(Conflict):
    """Children are added only before their parent is closing; facts: `job`, `parent`."""

    code = "parent_closed"


class CancelRequested(Conflict):
    """Cancelling was asked of the job or of one above it, so nothing new is begun; facts: `job`."""

    code = "cancel_requested"


class NotCancellable(Conflict):
    """The job was planned as one that cannot be cancelled; facts: `job`."""

    code = "not_cancellable"


class AlreadyClaimed(Conflict):
    """A live owner has the end action; facts: `job`, `owner`, `epoch`."""

    code = "already_claimed"


class StaleEpoch(Conflict):
    """The owner has started again since; facts: `owner`, `epoch`, `newest`."""

    code = "stale_epoch"


class VersionConflict(Conflict):
    """The job has gone on since it was looked at; facts: `job`, `version`, `expected`."""

    code = "version_conflict"


class EntityBusy(Conflict):
    """Other jobs are in the way; facts: `job`, `blockers`, each with job, type, entity, access, since, owner, progress.

    A blocker that fills a limit also has the `limit`. The oldest hundred are told, and `count` is how many there are.
    """

    code = "entity_busy"


class TokenFenced(Conflict):
    """An executor was told to take no call under this token; facts: `executor`, `token`."""

    code = "token_fenced"


class ViewBehind(Conflict):
    """A view is further behind than an append may catch up; facts: `view`, `position`, `head`."""

    code = "view_behind"


class IntegrityFailure(LedgerError):
    """What is stored is not what was stored."""

    code = "integrity_failure"


class StreamDamaged(IntegrityFailure):
    """A row of this stream is no event, or stands out of turn, so nothing more is recorded in it; facts: `job`."""

    code = "stream_damaged"


class PromiseBroken(IntegrityFailure):
    """What is recorded breaks the ledger's own promises, so nothing from there on is sealed.

    Facts: `position`, `stream`, `promise`.
    """

    code = "promise_broken"


class PositionAhead(IntegrityFailure):
    """Somebody knows an event that the ledger no longer has, which was restored or failed over with loss.

    Facts: the `position` of the event, its `event_id` where that is known, and the `head` of the ledger.
    """

    code = "position_ahead"


class ViewsDiffer(IntegrityFailure):
    """The views do not say what the events say; facts: `views`, each with the number of rows that differ."""

    code = "views_differ"


class ChecksumMismatch(IntegrityFailure):
    """A migration that was applied differs from the one in this release; facts: `migration`."""

    code = "checksum_mismatch"


class TreeDamaged(IntegrityFailure):
    """The Merkle tree lacks what a checkpoint speaks of; facts: `level`, `tile`."""

    code = "tree_damaged"


class NothingTrusted(IntegrityFailure):
    """There are checkpoints, and none is signed by a key that is trusted."""

    code = "nothing_trusted"


class MalformedLeaf(IntegrityFailure):
    """Bytes that must be the canonical form of a stored row are not."""

    code = "malformed_leaf"


class MalformedExport(IntegrityFailure):
    """A file that must be an export is none, or was damaged."""

    code = "malformed_export"


class SealRefused(IntegrityFailure):
    """What is stored contradicts a checkpoint that was signed, so no other is signed over it; facts: `size`."""

    code = "seal_refused"


class Unavailable(LedgerError):
    """The ledger cannot be used as things stand; trying again may help."""

    code = "unavailable"


class DatabaseAway(Unavailable):
    """The database does not answer, or the connection was lost."""

    code = "database_away"


class PoolExhausted(Unavailable):
    """All connections that a process may use were in use for too long; facts: `size`, `seconds`."""

    code = "pool_exhausted"


class AccessDenied(Unavailable):
    """The database refuses this user or password, or the role lacks a privilege."""

    code = "access_denied"


class DiskFull(Unavailable):
    """The database has no room left; nothing that was acknowledged is lost."""

    code = "disk_full"


class SchemaMissing(Unavailable):
    """The database has no ledger yet, or an older one; `jobledger migrate` mends it."""

    code = "schema_missing"


class SchemaTooNew(Unavailable):
    """The database or an event was written by a newer release; facts: `found`, `known`."""

    code = "schema_too_new"


class UnsafeSettings(Unavailable):
    """The server may lose what it acknowledged; facts: `settings`."""

    code = "unsafe_settings"


class TransactionPooler(Unavailable):
    """A pooler gives each transaction another session of the server; only one that keeps a session a client serves."""

    code = "transaction_pooler"


class OutcomeUnknown(Unavailable):
    """Whether an append was recorded could not be found out; `again()` says the same once more, which is safe.

    Facts: the `id` of the event, where one alone was to be recorded.
    """

    code = "outcome_unknown"
    _again: Callable[[], Any] | None = None

    def again(self) -> Any:
        """Say the same again under the same ids, so that it is recorded once; what the call gives is returned.

        Raises what the call raises, and this error again where what was said is no longer known here.
        """
        if self._again is None:
            raise self
        return self._again()

    def by(self, again: Callable[[], Any], **facts: Any) -> "OutcomeUnknown":
        """The same error for one caller, who says it again so."""
        error = OutcomeUnknown(str(self), **{**self.facts, **facts})
        error._again = again
        return error


class AppendLockHeld(Unavailable):
    """Another append does not end, and all others wait for it; nothing was recorded.

    Facts: `holder` (what its connection is called), `role`, `pid` (of its process in the database), `since`, and what
    that `waits_for`.
    """

    code = "append_lock_held"


class ExecutorUnreachable(Unavailable):
    """An executor does not answer; facts: `executor`."""

    code = "executor_unreachable"


class EmbeddedUnusable(Unavailable):
    """The embedded database cannot be started or used here; facts: `folder`."""

    code = "embedded_unusable"


class WaitTimedOut(LedgerError):
    """What was waited for did not happen in time; facts: `seconds`."""

    code = "wait_timed_out"
