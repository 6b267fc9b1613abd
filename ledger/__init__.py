"""The job ledger: the system of record for operations that run for minutes or hours somewhere else.

Every transition of every job is an immutable event in an append-only PostgreSQL store; views answer what runs now,
on which entity, and what expires when. It runs nothing itself. `open_ledger()` gives the `Ledger`; these names are
supported, and everything else may change.
"""

from typing import TYPE_CHECKING, Any

from ledger import errors

if TYPE_CHECKING:
    from ledger.answers import BusyAnswer, JobFilter, JobView, OwnerView, TreeExpiry
    from ledger.application import Ledger
    from ledger.audit import Durations, HistoryEntry, HistoryPage, Search
    from ledger.diff import Diff
    from ledger.domain.events import Event, RecordedEvent
    from ledger.domain.filters import Filter
    from ledger.domain.retention import Retention
    from ledger.past import Past
    from ledger.recovery.executors import Executor, Listing, Task
    from ledger.recovery.plan import RecoveryPlan, Scope
    from ledger.recovery.reconcile import Recovery
    from ledger.service.assembly import open_ledger
    from ledger.store.recorder import Receipt

_HOMES = {
    "BusyAnswer": "ledger.answers",
    "Diff": "ledger.diff",
    "Durations": "ledger.audit",
    "Event": "ledger.domain.events",
    "Executor": "ledger.recovery.executors",
    "Filter": "ledger.domain.filters",
    "HistoryEntry": "ledger.audit",
    "HistoryPage": "ledger.audit",
    "JobFilter": "ledger.answers",
    "JobView": "ledger.answers",
    "Ledger": "ledger.application",
    "Listing": "ledger.recovery.executors",
    "OwnerView": "ledger.answers",
    "Past": "ledger.past",
    "Receipt": "ledger.store.recorder",
    "RecordedEvent": "ledger.domain.events",
    "Recovery": "ledger.recovery.reconcile",
    "RecoveryPlan": "ledger.recovery.plan",
    "Retention": "ledger.domain.retention",
    "Scope": "ledger.recovery.plan",
    "Search": "ledger.audit",
    "Task": "ledger.recovery.executors",
    "TreeExpiry": "ledger.answers",
    "open_ledger": "ledger.service.assembly",
}

__all__ = [
    "BusyAnswer",
    "Diff",
    "Durations",
    "Event",
    "Executor",
    "Filter",
    "HistoryEntry",
    "HistoryPage",
    "JobFilter",
    "JobView",
    "Ledger",
    "Listing",
    "OwnerView",
    "Past",
    "Receipt",
    "RecordedEvent",
    "Recovery",
    "RecoveryPlan",
    "Retention",
    "Scope",
    "Search",
    "Task",
    "TreeExpiry",
    "errors",
    "open_ledger",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that a start costs only what is used."""
    if name not in _HOMES:
        raise AttributeError(f"ledger has no name {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as above

    return getattr(import_module(_HOMES[name]), name)
