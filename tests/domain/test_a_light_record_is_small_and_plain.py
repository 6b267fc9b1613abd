from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest

from ledger.clock import new_id
from ledger.domain.commands import is_light, parse_transition


class Word(StrEnum):
    EVENT = "started"


class Fields(dict[str, Any]):
    pass


STARTED = {"job": "j1", "event": "started"}
PLAN = {
    "event": "planned",
    "job": "j1",
    "type": "BackupDisk",
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "entities": [{"type": "disk", "id": f"d{n}", "access": "exclusive"} for n in range(5)],
    "params": {"target": "s3", "level": 1, "ratio": 0.5, "full": None, "tags": ("a", "b")},
}


@pytest.mark.parametrize(
    "record",
    [PLAN, '{"job":"j1","event":"started"}', b"{}", parse_transition({"job": "j", "event": "started"}, new_id)],
)
def test_what_is_usual_is_light(record: object) -> None:
    assert is_light(record)


@pytest.mark.parametrize(
    "record",
    [
        PLAN | {"entities": [{"type": "disk", "id": str(n)} for n in range(1_000)]},
        PLAN | {"params": {"text": "x" * 100_000}},
        PLAN | {"params": {"nested": [[[["x"] * 300]]]}},
        "x" * 100_000,
        b"x" * 100_000,
        {"job": "j1", "event": Word.EVENT},
        Fields(job="j1", event="started"),
        {"job": "j1", "event": "succeeded", "result": Fields()},
        {"job": "j1", "result": object(), "event": parse_transition(STARTED, new_id)},
        object(),
    ],
)
def test_what_takes_long_or_runs_code_of_its_own_is_not(record: object) -> None:
    assert not is_light(record)
