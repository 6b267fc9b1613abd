import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.asking import search as audit
from ledger.domain.values import POSITION_MAX
from ledger.errors import BadInput

ROOT = Path(__file__).parents[2]


@contextmanager
def _writing(conninfo: str) -> Iterator[None]:
    """Another process that plans and ends jobs as fast as it can."""
    command = (sys.executable, "-m", "tests.benchmarks.callers", conninfo)
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            yield
            process.communicate()
        finally:
            process.kill()


def test_pages_neither_repeat_nor_skip_while_others_write(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From either end each event is told once, in order, up to where each page was true."""
    monkeypatch.setattr(audit, "PAGE_ENTRIES", 7)
    for number in range(60):
        ledger.plan("T", job=f"j{number}", actor="ann")
    with _writing(conninfo):
        newest = [entry.position for entry in ledger.search("-event:progressed").entries()]
        ann = [entry.position for entry in ledger.search("actor:ann").entries(oldest=True)]
        oldest = [entry.position for entry in ledger.search().entries(oldest=True, limit=600)]
        grown = ledger.position() - newest[0]
    told = [entry for entry in ledger.events() if entry.position <= newest[0] and entry.event.name != "progressed"]
    assert newest == [entry.position for entry in told][::-1]
    assert ann == [entry.position for entry in ledger.events() if entry.event.actor == "ann"]
    assert oldest == list(range(1, len(oldest) + 1))
    assert grown > 0


def test_a_page_says_whether_there_may_be_more(ledger: Ledger) -> None:
    """A page has a bound, and says what goes on after it."""
    for number in range(5):
        ledger.plan("T", job=f"j{number}")
    search = ledger.search("type:T")
    first = search.page(limit=3)
    assert ([it.position for it in first.entries], first.more) == ([5, 4, 3], True)
    second = search.page(limit=3, before=3)
    assert ([it.position for it in second.entries], second.more) == ([2, 1], False)
    assert [it.position for it in search.page(limit=2, after=2, oldest=True).entries] == [3, 4]
    assert [it.position for it in search.entries(limit=4)] == [5, 4, 3, 2]
    assert len(search.page(before=POSITION_MAX).entries) == 5
    assert search.page(after=POSITION_MAX).entries == []
    for limit in (0, -1, 10_001):
        with pytest.raises(BadInput):
            search.page(limit=limit)
