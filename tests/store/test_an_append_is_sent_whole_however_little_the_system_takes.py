import pytest

from ledger import clock
from ledger.appending import line
from ledger.application import Ledger
from ledger.domain.commands import parse_transition
from ledger.domain.decisions import Disposition
from ledger.domain.receipt import Receipt

LARGE = {"x": "y" * 60_000}


def test_an_append_is_sent_whole_however_little_the_system_takes(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that takes 4 KiB at a time has the rest handed on as the server reads; the server is waited for then."""
    monkeypatch.setattr(line, "SEND_BYTES", 4_096)
    records = [{"job": f"j{n}", "event": "planned", "type": "T", "params": LARGE} for n in range(10)]

    assert ledger.record(records[0]).version == 1
    answers = ledger.record_each([parse_transition(record, clock.new_id) for record in records])

    said = [answer.disposition for answer in answers if isinstance(answer, Receipt)]
    assert said == [Disposition.UNCHANGED] + 9 * [Disposition.RECORDED]
    assert ledger.job("j9").params == LARGE
