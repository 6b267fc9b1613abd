import json
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from projections.inline import rebuild
from tests.projections.conftest import Rows

PAYLOADS: list[Any] = [
    {"big": 10**400 + 7, "negative": -(10**40), "zero": 0},
    {"tiny": 5e-324, "huge": 1.7976931348623157e308, "third": 0.1 + 0.2, "minus": -0.0, "whole": 1.0},
    {"": "", "quote\"'\\": "\t\n\r\b\f\u0001\u007f\u2028\ufeff\U0001f600", "%s %(x)s": "{}", "null": None},
    {"$": "'; DROP TABLE job_status; --", "deep": [[[[{"a": [None, True, False]}]]]], "b": [], "c": {}},
    {"1": "x" * 60_000},
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_come_back_exactly(
    ledger: Ledger, admin: psycopg.Connection[Any], rows: Rows, payload: dict[str, Any]
) -> None:
    """Params, result, error and evidence are the same before and after a rebuild, down to the last digit."""
    ledger.plan("Build", job="a", params=payload)
    ledger.plan("Build", job="b")
    ledger.fail("b", {"code": "x", "details": [payload]}, evidence=payload)
    ledger.start("a", raw='"\\')
    ledger.succeed("a", payload, warnings=["\\u0041", "\u2029"])
    before = rows("job_status")
    for _ in range(2):
        a, b = ledger.job("a"), ledger.job("b")
        said = (a.params, a.result, b.evidence, b.error and b.error["details"][0])
        assert [json.dumps(value) for value in said] == [json.dumps(payload)] * 4
        assert (a.raw, a.warnings) == ('"\\', ["\\u0041", "\u2029"])
        rebuild.rebuild(admin)
        assert rows("job_status") == before


@pytest.mark.parametrize("result", ["text \\u0041 \u0001", 10**300, 0.1, True, [], None])
def test_a_result_may_be_any_json(ledger: Ledger, result: Any) -> None:
    """A result need not be an object."""
    ledger.plan("Build", job="a")
    ledger.succeed("a", result)
    assert json.dumps(ledger.job("a").result) == json.dumps(result)
