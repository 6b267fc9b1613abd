import json
from typing import Any

from ledger.application import Ledger
from ledger.records.importer import Overlap


def _plan(job: str, *disks: str, access: str = "exclusive", **terms: Any) -> dict[str, Any]:
    entities = [{"type": "disk", "id": disk, "access": access} for disk in disks]
    return {"job": job, "event": "planned", "type": "T", "at": "2026-01-02T03:04:05Z", "entities": entities, **terms}


RECORDS = [
    _plan("a", "1", "2"),
    _plan("b", "2", access="shared"),
    _plan("free", "3"),
    _plan("c", "1", "2"),
    {"job": "a", "event": "succeeded", "at": "2026-01-02T04:00:00Z"},
    {"job": "free", "event": "attached", "at": "2026-01-02T05:00:00Z", "entities": [{"type": "disk", "id": "1"}]},
    _plan("parent", children=[{"job": "parent/1", "type": "T", "entities": [{"type": "disk", "id": "3"}]}]),
]
LINES = [json.dumps(record).encode() for record in RECORDS]


def _listed(found: list[Overlap]) -> list[tuple[int, str, list[tuple[str, str]]]]:
    return [(line.number, line.job, [(other.entity, other.job) for other in line.beside]) for line in found]


def test_an_import_lists_what_ran_beside_what(ledger: Ledger) -> None:
    """Each overlapping line is told with every pair, in a plan, in an attach, and for a child that is planned along."""
    found: list[Overlap] = []
    summary = ledger.import_records(LINES, on_overlap=found.append)
    assert _listed(found) == [
        (2, "b", [("disk/2", "a")]),
        (4, "c", [("disk/1", "a"), ("disk/2", "a"), ("disk/2", "b")]),
        (6, "free", [("disk/1", "c")]),
        (7, "parent", [("disk/3", "free")]),
    ]
    assert (summary.overlaps, summary.rejected) == (4, 0)


def test_the_same_import_again_lists_nothing(ledger: Ledger) -> None:
    """What is on record already has begun nothing new."""
    ledger.import_records(LINES)
    found: list[Overlap] = []
    again = ledger.import_records(LINES, on_overlap=found.append)
    assert (again.unchanged, again.overlaps, found) == (len(LINES), 0, [])


def test_what_is_admitted_overlaps_nothing(ledger: Ledger) -> None:
    """Where admission is asked, a line that would overlap is rejected instead."""
    found: list[Overlap] = []
    summary = ledger.import_records(LINES, admit=True, on_overlap=found.append)
    assert (summary.overlaps, found) == (0, [])
    assert summary.rejected == 3
