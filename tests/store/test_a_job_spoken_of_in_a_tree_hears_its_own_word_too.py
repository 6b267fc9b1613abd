import json
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.domain.decisions import Disposition
from ledger.service.assembly import assemble

WORDS = 40  # so many that a stream is a long one


@pytest.mark.parametrize("words", [0, WORDS])
def test_a_job_spoken_of_in_a_tree_hears_its_own_word_too(ledger: Ledger, conninfo: str, words: int) -> None:
    """In the append that asks its tree to be cancelled by its state alone, it is found what it told before."""
    ledger.plan("Whole", job="r", children=[{"job": f"r/{n}", "type": "Part"} for n in range(3)])
    for n in range(words):
        ledger.progress("r/1", message=f"word {n}")
    ledger.start("r/1", "e", "x", id="mine")
    records: list[dict[str, Any]] = [
        {"job": "r", "event": "cancel_requested"},
        {"job": "r/1", "event": "started", "executor": "e", "external_id": "x", "id": "mine"},
        {"job": "r/1", "event": "progressed", "percent": 5},
        {"job": "r/1", "event": "cancel_requested", "actor": "ann"},
        {"job": "r/1", "event": "cancelled"},
    ]
    lines = [json.dumps({"at": "2026-01-01T00:00:00Z", **said}).encode() for said in records]
    with assemble(conninfo) as fresh:
        summary = fresh.import_records(lines)
    assert (summary.rejected, summary.unchanged, summary.recorded) == (0, 2, 6)
    assert [entry.event.name for entry in ledger.history("r/1")][-3:] == ["cancel_requested", "progressed", "cancelled"]
    with assemble(conninfo) as fresh:
        again = fresh.import_records(lines)
    assert (again.rejected, again.unchanged, again.recorded) == (0, len(lines), 0)
    assert ledger.cancel("r").disposition is Disposition.UNCHANGED
