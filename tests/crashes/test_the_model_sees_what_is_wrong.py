"""The model that every crash is held against would notice if anything were not so."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.crashes.model import truth, wrongs

Records = list[dict[str, Any]]
TRUE = {"t1": "succeeded", "t2": "succeeded", "p/end": "succeeded"}


def _history() -> Records:
    told = [
        ("p", "planned", {}),
        ("p/1", "planned", {"parent": "p"}),
        ("p/2", "planned", {"parent": "p"}),
        ("p/1", "submitted", {"token": "t1"}),
        ("p/2", "submitted", {"token": "t2"}),
        ("p/1", "succeeded", {}),
        ("p/2", "lost", {}),
        ("p/2", "resolved", {"outcome": "succeeded"}),
        ("p", "succeeded", {}),
    ]
    versions: dict[str, int] = {}
    records: Records = []
    for position, (job, event, fields) in enumerate(told, start=1):
        versions[job] = versions.get(job, 0) + 1
        records.append({"job": job, "event": event, "position": position, "version": versions[job], **fields})
    return records


def test_a_true_history_is_found_true() -> None:
    assert wrongs(_history(), TRUE, ends=True) == []


FORGERIES: dict[str, Callable[[Records], Any]] = {
    "a version is missing": lambda records: records.pop(3),
    "it closed twice": lambda records: records.append(records[5] | {"version": 4, "position": 10}),
    "a child is left unknown": lambda records: records.pop(7),
    "a child never closed": lambda records: records.pop(5),
    "a child failed that succeeded": lambda records: records[5].update(event="failed"),
    "a child was abandoned that ran": lambda records: records[5].update(event="abandoned"),
    "a parent failed for nothing": lambda records: records[8].update(event="failed"),
    "a parent was left open": lambda records: records.pop(8),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_history_is_found_out(what: str) -> None:
    records = _history()
    FORGERIES[what](records)

    assert wrongs(records, TRUE, ends=True) != []


@pytest.mark.parametrize(
    "true",
    [
        TRUE | {"t1": "failed"},
        TRUE | {"t3": "succeeded"},
        {name: end for name, end in TRUE.items() if name != "t2"},
        {name: end for name, end in TRUE.items() if name != "p/end"},
        TRUE | {"t1": None},
    ],
)
def test_what_really_ran_decides(true: dict[str, str | None]) -> None:
    assert wrongs(_history(), true, ends=True) != []


def test_a_task_that_ran_twice_is_found_out() -> None:
    taken = {"what": "accepted", "token": "t", "task": "x"}
    with pytest.raises(AssertionError, match="twice"):
        truth([taken, taken | {"task": "y"}])
