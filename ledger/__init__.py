"""The job ledger: the system of record for operations that run for minutes or hours somewhere else.

Every transition of every job is an immutable event in an append-only PostgreSQL store; views answer what runs now,
on which entity, and what expires when. It runs nothing itself. `open_ledger()` gives the `Ledger`; these names are
supported, and everything else may change.
"""

from typing import TYPE_CHECKING, Any

from ledger import errors

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.asking.answers import BusyAnswer, JobFilter, JobView, OwnerView, TreeExpiry
    from ledger.asking.difference import Diff
    from ledger.asking.moment import Past
    from ledger.asking.search import Durations, HistoryEntry, HistoryPage, Search
    from ledger.domain.events import Event, RecordedEvent
    from ledger.domain.filters import Filter
    from ledger.domain.receipt import Receipt
    from ledger.domain.retention import Retention
    from ledger.executors.protocol import Executor, Listing, Task
    from ledger.recovery.proposal import RecoveryPlan, Scope
    from ledger.recovery.reconcile import Recovery
    from ledger.service.assembly import open_ledger

_HOMES = {
    "BusyAnswer": "ledger.asking.answers",
    "Diff": "ledger.asking.difference",
    "Durations": "ledger.asking.search",
    "Event": "ledger.domain.events",
    "Executor": "ledger.executors.protocol",
    "Filter": "ledger.domain.filters",
    "HistoryEntry": "ledger.asking.search",
    "HistoryPage": "ledger.asking.search",
    "JobFilter": "ledger.asking.answers",
    "JobView": "ledger.asking.answers",
    "Ledger": "ledger.application",
    "Listing": "ledger.executors.protocol",
    "OwnerView": "ledger.asking.answers",
    "Past": "ledger.asking.moment",
    "Receipt": "ledger.domain.receipt",
    "RecordedEvent": "ledger.domain.events",
    "Recovery": "ledger.recovery.reconcile",
    "RecoveryPlan": "ledger.recovery.proposal",
    "Retention": "ledger.domain.retention",
    "Scope": "ledger.recovery.proposal",
    "Search": "ledger.asking.search",
    "Task": "ledger.executors.protocol",
    "TreeExpiry": "ledger.asking.answers",
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

    try:
        return getattr(import_module(_HOMES[name]), name)
    except ImportError as error:
        from ledger.imports import explained  # noqa: PLC0415

        raise explained(error) from error
