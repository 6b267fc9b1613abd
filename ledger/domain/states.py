"""The lifecycle of a job: its phases, its outcomes, and the one table of what may follow what."""

from collections.abc import Mapping
from enum import StrEnum


class Phase(StrEnum):
    """How far a job has come; the order of the members is the order of life."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    QUEUED = "queued"
    RUNNING = "running"
    SUSPENDED = "suspended"
    CLOSING = "closing"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a closed job ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    UNKNOWN = "unknown"


class Flag(StrEnum):
    """What is true of a job beside its phase and outcome."""

    CANCEL_REQUESTED = "cancel_requested"
    CONTACT_LOST = "contact_lost"
    ON_HOLD = "on_hold"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    DAMAGED = "damaged"


class EndAction(StrEnum):
    """How a parent closes: by a report, by itself with its last child, or by an owner that claims its end action."""

    NONE = "none"
    AUTO = "auto"
    OWNER = "owner"


_P, _S, _Q, _R, _Z, _C, _X = Phase
_OPEN = (_P, _S, _Q, _R, _Z, _C)


def _to(phase: Phase, *sources: Phase) -> dict[Phase, Phase]:
    return dict.fromkeys(sources, phase)


def _stays(*sources: Phase) -> dict[Phase, Phase]:
    return {phase: phase for phase in sources}


# The transition table: event → {phase before → phase after}. What is not here is an IllegalTransition. A stream begins
# with `planned` or `refused`, which stand here only for the job that was refused and is planned again.
TRANSITIONS: Mapping[str, Mapping[Phase, Phase]] = {
    "planned": _to(_P, _X),
    "refused": _stays(_X),
    "submitted": _to(_S, _P),
    "accepted": _to(_Q, _P, _S) | _stays(_Q, _R, _Z, _C),
    "started": _to(_R, _P, _S, _Q) | _stays(_R, _Z, _C),
    "progressed": _to(_R, _P, _S, _Q, _R, _Z) | _stays(_C),
    "suspended": _to(_Z, _P, _S, _Q, _R),
    "resumed": _to(_R, _Z),
    "cancel_requested": _stays(*_OPEN),
    "attached": _stays(*_OPEN),
    "detached": _stays(*_OPEN),
    "contact_lost": _stays(_S, _Q, _R, _Z, _C),
    "contact_regained": _stays(_S, _Q, _R, _Z, _C),
    "closing": _to(_C, *_OPEN),
    "adopted": _stays(*_OPEN),
    "succeeded": _to(_X, *_OPEN),
    "failed": _to(_X, *_OPEN),
    "cancelled": _to(_X, *_OPEN),
    "abandoned": _to(_X, _P, _S),
    "lost": _to(_X, *_OPEN),
    "resolved": _stays(_X),
    "disputed": _stays(_X),
    "late": _stays(*_OPEN, _X),
    "hold_placed": _stays(*_OPEN, _X),
    "hold_lifted": _stays(*_OPEN, _X),
    "expired": _stays(_X),
}

OUTCOMES: Mapping[str, Outcome] = {
    "refused": Outcome.REFUSED,
    "succeeded": Outcome.SUCCEEDED,
    "failed": Outcome.FAILED,
    "cancelled": Outcome.CANCELLED,
    "abandoned": Outcome.ABANDONED,
    "lost": Outcome.UNKNOWN,
}
NOT_IN_OUTCOMES = (  # `resolved` says its own
    "planned", "submitted", "accepted", "started", "progressed", "suspended", "resumed", "cancel_requested", "attached",
    "detached", "contact_lost", "contact_regained", "closing", "adopted", "resolved", "disputed", "late", "hold_placed",
    "hold_lifted", "expired",
)  # fmt: skip

# With which events a stream begins, and the phase of the job after it.
BEGINNING: Mapping[str, Phase] = {"planned": _P, "refused": _X}
NOT_IN_BEGINNING = (
    "submitted", "accepted", "started", "progressed", "suspended", "resumed", "cancel_requested", "attached",
    "detached", "contact_lost", "contact_regained", "closing", "adopted", "succeeded", "failed", "cancelled",
    "abandoned", "lost", "resolved", "disputed", "late", "hold_placed", "hold_lifted", "expired",
)  # fmt: skip


def ok(outcome: Outcome | None) -> bool | None:
    """Whether a job went well: null where it is not closed, or nobody can say."""
    if outcome is None or outcome is Outcome.UNKNOWN:
        return None
    return outcome is Outcome.SUCCEEDED
