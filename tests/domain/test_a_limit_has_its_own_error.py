import json
from datetime import datetime
from typing import Any

import pytest

from ledger import errors
from ledger.domain.commands import parse_transition
from tests.domain.memory import Memory, new_id, parts

E = errors


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def _planned(**terms: Any) -> dict[str, Any]:
    return {"job": "a", "event": "planned", "type": "T", **terms}


def _entities(count: int) -> list[dict[str, str]]:
    return [{"type": "vm", "id": f"v{n}"} for n in range(count)]


BEYOND: list[tuple[dict[str, Any], type[E.LedgerError]]] = [
    (_planned(job="j" * 201), E.JobIdTooLong),
    (_planned(job=""), E.JobIdTooLong),
    (_planned(type="t" * 65), E.NameTooLong),
    (_planned(entities=[{"type": "t" * 65, "id": "x"}]), E.NameTooLong),
    (_planned(entities=[{"type": "t", "id": "x", "role": "r" * 65}]), E.NameTooLong),
    (_planned(entities=[{"type": "t", "id": "x" * 257}]), E.EntityIdTooLong),
    (_planned(entities=_entities(1_001)), E.TooManyEntities),
    (_planned(entities=_entities(1) * 2), E.MalformedRecord),
    (_planned(children=parts(*(f"c{n}" for n in range(10_001)))), E.TooManyChildren),
    (_planned(params={"x": "y" * 65_536}), E.PayloadTooLarge),
    (_planned(params={"x": 10**4_300}), E.PayloadTooLarge),
    (_planned(params={"x": -(10**4_300)}), E.PayloadTooLarge),
    (_planned(params={"x": _deep(32)}), E.PayloadTooDeep),
    (_planned(params={"x": "a\0b"}), E.HostileText),
    (_planned(params={"a\0b": 1}), E.HostileText),
    (_planned(params={"x": ["\ud800"]}), E.HostileText),
    (_planned(job="\udfff"), E.HostileText),
    (_planned(actor="a\0"), E.HostileText),
    (_planned(params={"x": float("nan")}), E.NotFinite),
    (_planned(params={"x": [float("inf")]}), E.NotFinite),
    (_planned(at="1969-12-31T23:59:59Z"), E.TimeOutOfRange),
    (_planned(at="9999-12-31T23:59:59-01:00"), E.TimeOutOfRange),
    (_planned(at="2026-02-30T00:00:00Z"), E.TimeOutOfRange),
    (_planned(at="2026-01-01T00:00:00"), E.MalformedRecord),
    (_planned(at="2026-01-01T00:00:00.1234567Z"), E.MalformedRecord),
    (_planned(at="12000-01-01T00:00:00Z"), E.MalformedRecord),
    (_planned(at=5), E.MalformedRecord),
    (_planned(reason="r" * 65_537), E.TextTooLong),
    (_planned(actor="r" * 257), E.TextTooLong),
    (_planned(epoch=-1), E.MalformedRecord),
    (_planned(epoch=True), E.MalformedRecord),
    (_planned(required="yes please"), E.MalformedRecord),
    (_planned(colour="red"), E.MalformedRecord),
    (_planned(**{"\ud800": 1}), E.HostileText),
    (_planned(**{"a\0\u202e": 1}), E.MalformedRecord),
    (_planned(job=7), E.MalformedRecord),
    (_planned(at=datetime(2026, 1, 2)), E.TimeOutOfRange),  # noqa: DTZ001 - that is the point
    (_planned(at="２０２６-01-01T00:00:00Z"), E.MalformedRecord),  # noqa: RUF001 - digits of another script
    (_planned(required=1), E.MalformedRecord),
    (_planned(retention={"keep_for": 0.0000001}), E.MalformedRecord),
    (_planned(children=[{"job": "c", "type": "T", "children": parts("a")}]), E.MalformedRecord),
    (
        _planned(children=[{"job": "c", "type": "T", "children": parts(*map(str, range(9_999)))}, *parts("d")]),
        E.TooManyChildren,
    ),
    ({"job": "a", "event": "failed", "error": {"code": "y" * 40_000, "message": "y" * 40_000}}, E.PayloadTooLarge),
    ({"job": "a", "event": "lost", "evidence": _deep(33)}, E.PayloadTooDeep),
    ({"job": "a", "event": "progressed", "done": 10**400}, E.MalformedRecord),
    ({"job": "a", "event": "progressed", "done": 10**5_000}, E.MalformedRecord),
    ({"job": "a", "event": "started", "epoch": 10**5_000}, E.MalformedRecord),
    ({"event": "failed"}, E.MalformedRecord),
    ({"job": "a", "event": 10**5_000}, E.MalformedRecord),
    ({"job": "a", "event": "owner_started", "owner": "o", "epoch": 1}, E.MalformedRecord),
    (_planned(params=[1]), E.MalformedRecord),
    (_planned(params={"x": {1}}), E.MalformedRecord),
    (_planned(params={1: 1}), E.MalformedRecord),
    (_planned(children=7), E.MalformedRecord),
    (_planned(children=parts("c", "c")), E.MalformedRecord),
    (_planned(children=parts("c", parent="other")), E.MalformedRecord),
    (_planned(retention="forever"), E.MalformedRecord),
    (_planned(retention={"keep_for": -1}), E.MalformedRecord),
    ({"job": "a", "event": "failed", "result": "y" * 65_536}, E.PayloadTooLarge),
    ({"job": "a", "event": "failed", "error": {"details": ["y" * 65_536]}}, E.PayloadTooLarge),
    ({"job": "a", "event": "progressed"}, E.MalformedRecord),
    ({"job": "a", "event": "progressed", "percent": 100.5}, E.MalformedRecord),
    ({"job": "a", "event": "progressed", "done": "7"}, E.MalformedRecord),
    ({"job": "a", "event": "progressed", "done": -1}, E.MalformedRecord),
    ({"job": "a", "event": "progressed", "done": float("inf")}, E.NotFinite),
    ({"job": "a", "event": "danced"}, E.MalformedRecord),
    ({"job": "a", "event": ["planned"]}, E.MalformedRecord),
    ({"event": "started"}, E.MalformedRecord),
    ({"event": "owner_started", "owner": "o"}, E.MalformedRecord),
    ({"job": "a", "event": "late", "report": "x", "because": "closed"}, E.MalformedRecord),
    ({"job": "a", "event": "late", "report": {"x": "\0"}, "because": "closed"}, E.HostileText),
]


@pytest.mark.parametrize(("record", "error"), BEYOND, ids=lambda value: getattr(value, "code", None))
def test_a_limit_has_its_own_error(record: dict[str, Any], error: type[E.LedgerError]) -> None:
    with pytest.raises(E.LedgerError) as refused:
        parse_transition(record, new_id)

    assert type(refused.value) is error
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", E.MalformedRecord),
        ("[]", E.MalformedRecord),
        (b"\xff", E.MalformedRecord),
        ('{"event":"planned","event":"planned"}', E.MalformedRecord),
        ('{"job":"a","event":"planned","type":"T","params":{"x":NaN}}', E.NotFinite),
        ('{"job":"a","event":"planned","type":"T","params":{"x":1e999}}', E.NotFinite),
        ('{"job":"a","event":"planned","type":"T","params":{"x":' + "[" * 100_000, E.PayloadTooDeep),
        ('{"job":"a","event":"planned","type":"T","params":{"x":' + "9" * 5_000 + "}}", E.PayloadTooLarge),
    ],
)
def test_text_that_is_no_record(text: str | bytes, error: type[E.LedgerError]) -> None:
    with pytest.raises(error):
        parse_transition(text, new_id)


def test_what_is_just_within_the_limits_is_taken() -> None:
    record = _planned(
        job="j" * 200,
        type="t" * 64,
        entities=[*_entities(999), {"type": "t" * 64, "id": "x" * 256, "role": "r" * 64}],
        params={"x": _deep(31), "big": [10**4_300 - 1, 1 - 10**4_300], "text": "y" * 50_000},
        at="9999-12-31T23:59:59.999999Z",
    )

    assert parse_transition(json.dumps(record), new_id).job == "j" * 200


def test_a_tree_is_sixteen_deep_at_most() -> None:
    memory = Memory()
    memory.plan("1")
    for depth in range(2, 17):
        memory.plan(str(depth), parent=str(depth - 1))

    with pytest.raises(E.TreeTooDeep):
        memory.plan("17", parent="16")


def test_a_report_within_a_report_must_be_one() -> None:
    memory = Memory()
    memory.plan("a")

    for report in ({}, {"event": "planned", "type": "T"}, {"event": "started", "colour": "red"}):
        with pytest.raises(E.MalformedRecord):
            memory.tell("a", "late", report=report, because="fenced")
    for plan in ({}, {"type": "T", "children": [{"type": "T"}]}, {"type": "T", "colour": "red"}):
        with pytest.raises(E.MalformedRecord):
            memory.tell("b", "refused", plan=plan, blockers=[])


def test_a_refused_plan_may_be_larger_than_a_payload() -> None:
    memory = Memory()
    below = parts(*(f"a/{n}" for n in range(10_000)))

    memory.tell("a", "refused", plan={"type": "T", "children": below}, blockers=[])
    memory.plan("a", children=below)
    assert len(memory.events) == 10_002


def test_a_file_may_begin_with_a_byte_order_mark() -> None:
    assert parse_transition(b'\xef\xbb\xbf{"job":"a","event":"started"}', new_id).job == "a"
