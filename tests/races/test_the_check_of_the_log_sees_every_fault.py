from typing import Any

import pytest

from tests.races.log import violations

Records = list[dict[str, Any]]
AT = "2026-01-02T03:04:05Z"
ONE = {"type": "T", "entity": {"type": "disk", "id": "1"}, "at_most": 1}


def _on(access: str) -> list[dict[str, str]]:
    return [{"type": "disk", "id": "1", "role": "target", "access": access}]


def _said(event: str, job: str, access: str | None = None, **more: Any) -> dict[str, Any]:
    held = {"entities": _on(access)} if access else {}
    return {"event": event, "job": job, "at": AT, **held, **({"type": "T"} if event == "planned" else {}), **more}


def _refused(*blockers: dict[str, Any], access: str = "exclusive", **terms: Any) -> dict[str, Any]:
    plan = {"type": "T", "entities": _on(access), **terms}
    return _said("refused", "new", plan=plan, blockers=list(blockers))


def _blocker(job: str, access: str, **more: Any) -> dict[str, Any]:
    entity = {"type": "disk", "id": "1"}
    return {"job": job, "type": "T", "entity": entity, "access": access, "since": AT, "owner": None, **more}


HELD, SHARED = _said("planned", "a", "exclusive"), _said("planned", "a", "shared")
SHARED_TOO = _said("planned", "b", "shared")
BOTH = _said("planned", "b", "shared", limits=[ONE])
FAULTS: list[Records] = [
    [HELD, _said("planned", "b", "shared")],
    [HELD, _said("lost", "a"), _said("planned", "b", "exclusive")],
    [SHARED, _said("planned", "b"), _said("attached", "b", "exclusive")],
    [SHARED, BOTH],
    [SHARED, _said("planned", "b", limits=[ONE]), _said("attached", "b", "none")],
    [_said("planned", "a", children=[{"job": "a/1"}], limits=[ONE]), _said("planned", "a/1", "none", parent="a"), BOTH],
    [_refused(_blocker("a", "exclusive"))],
    [_refused()],
    [SHARED, _refused(_blocker("a", "shared"), access="shared")],
    [HELD, _refused(_blocker("a", "shared"))],
    [SHARED, SHARED_TOO, _refused(_blocker("a", "shared"))],
    [SHARED, _refused(_blocker("a", "shared", owner="x"))],
    [SHARED, _refused(_blocker("a", "shared", since="2026-01-02T03:04:06Z"))],
    [
        SHARED,
        _refused(_blocker("a", "shared", limit=ONE | {"at_most": 2}), access="none", limits=[ONE | {"at_most": 2}]),
    ],
    [SHARED, SHARED_TOO, _refused(_blocker("a", "shared", limit=ONE), access="none", limits=[ONE])],
]
RIGHT: list[Records] = [
    [SHARED, SHARED_TOO, _said("planned", "c", "none")],
    [HELD, _said("planned", "a/1", "exclusive", parent="a")],
    [HELD, _said("succeeded", "a"), SHARED_TOO],
    [HELD, _said("lost", "a"), _said("resolved", "a"), SHARED_TOO],
    [HELD, _said("detached", "a", entities=[{"type": "disk", "id": "1"}]), SHARED_TOO],
    [SHARED, _refused(_blocker("a", "shared"))],
    [SHARED, _refused(_blocker("a", "shared", limit=ONE), access="none", limits=[ONE])],
]


@pytest.mark.parametrize("records", FAULTS)
def test_the_check_of_the_log_sees_every_fault(records: Records) -> None:
    """Each log shows one thing that admission must not let happen, or must not say."""
    assert violations(records)


@pytest.mark.parametrize("records", RIGHT)
def test_the_check_of_the_log_finds_no_fault_where_there_is_none(records: Records) -> None:
    assert violations(records) == []
