import json
from typing import Any

import pytest

from ledger.errors import ExecutorUnreachable, MalformedRecord
from ledger.executors.taskfile import ListedExecutor, read_tasks

TASK: dict[str, Any] = {"executor": "agent", "external_id": "x", "state": "running"}


def _read(*lines: dict[str, Any] | bytes) -> list[ListedExecutor]:
    return read_tasks({"the tasks": (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)})


def test_every_field_of_a_task_is_kept() -> None:
    said = TASK | {"token": "t", "state": "failed", "percent": 40, "error": "no space", "raw": "ERR_5"}

    (executor,) = _read(said, b"\n")

    (task,) = executor.list().tasks
    assert task.model_dump(mode="json", exclude_defaults=True) == said | {"error": {"message": "no space"}}


def test_a_listing_is_complete_only_where_it_says_so() -> None:
    first, second = _read(TASK, TASK | {"executor": "other"}, {"executor": "other", "complete": True})

    assert [(it.name, it.list().complete) for it in (first, second)] == [("agent", False), ("other", True)]


@pytest.mark.parametrize(
    ("tasks", "said", "tokens"),
    [
        ([TASK], {}, False),
        ([TASK, TASK | {"external_id": "y", "token": "t"}], {}, True),
        ([], {}, True),
        ([TASK], {"tokens": True}, True),
        ([TASK | {"token": "t"}], {"tokens": False}, False),
    ],
)
def test_whether_it_keeps_tokens_is_seen_or_said(
    tasks: list[dict[str, Any]], said: dict[str, Any], tokens: bool
) -> None:
    (executor,) = _read(*tasks, {"executor": "agent", "complete": True, **said})

    assert executor.list().tokens is tokens


def test_one_that_could_not_be_asked_is_unreachable() -> None:
    (executor,) = _read({"executor": "agent", "reachable": False})

    with pytest.raises(ExecutorUnreachable):
        executor.list()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "must be JSON"),
        (b"[]", "must be a JSON object"),
        (b"\xff\xff", "UTF-8"),
        (TASK | {"state": "RUNNING"}, "state"),
        (TASK | {"extenal_id": "x"}, "extenal_id"),
        ({"executor": "agent", "state": "running"}, "external_id or a token"),
        (TASK | {"percent": 101}, "100 per cent"),
        (TASK | {"executor": ""}, "executor"),
        ({"executor": "agent", "complete": "yes"}, "complete"),
        ({"external_id": "x", "state": "running"}, "executor"),
    ],
)
def test_a_bad_line_is_told_with_its_number(line: dict[str, Any] | bytes, why: str) -> None:
    with pytest.raises(MalformedRecord, match=f"^Line 3 of the tasks: .*{why}"):
        _read(TASK, b"", line)
