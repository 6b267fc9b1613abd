import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from ledger.application import Ledger
from ledger.domain.commands import Transition
from ledger.errors import LedgerError
from ledger.records import importer
from ledger.records.ahead import Ahead
from ledger.records.importer import PARSED_AT_ONCE, Reading
from ledger.records.lines import PAGE_LINES_MAX, pages, parse_line
from ledger.service.assembly import assemble
from ledger.service.embedded.lock import until
from ledger.store.connection import connect
from projections.inline import rebuild

CALLERS, JOBS_EACH = 4, 100


def _plan(job: str) -> bytes:
    return b'{"job":"%s","event":"planned","type":"T"}' % job.encode()


def _shown(said: Transition | LedgerError | None) -> str:
    return said.job if isinstance(said, Transition) else type(said).__name__


@pytest.mark.parametrize("times", range(4))
def test_it_makes_no_difference_how_much_there_was_time_for(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []

    def parse(line: bytes) -> Transition | LedgerError | None:
        parsed.append(line)
        return parse_line(line)

    monkeypatch.setattr(importer, "parse_line", parse)
    lines = [(_plan(f"j{n}"), b"{", b'{"export":1}')[n % 3] for n in range(2 * PAGE_LINES_MAX)]
    expected = [(f"j{n}", "MalformedRecord", "NoneType")[n % 3] for n in range(2 * PAGE_LINES_MAX)]

    with closing(Ahead(pages(lines))) as taken:
        reading = Reading(taken)
        each = iter(reading)
        found = [_shown(said) for said in next(each)[1]]
        assert until(lambda: taken.there() is not None, 30)
        for _ in range(times):
            reading.go_on()
        assert len(parsed) == PAGE_LINES_MAX + min(times * PARSED_AT_ONCE, PAGE_LINES_MAX)
        found += [_shown(said) for said in next(each)[1]]
        assert [*each] == []
        reading.go_on()

    assert found == expected
    assert parsed == lines


def test_others_record_while_an_import_waits_for_lines(conninfo: str, ledger: Ledger) -> None:
    """Nobody waits for lines with the append lock in hand, and what has come is on record."""
    others_are_done = threading.Event()

    def lines() -> Iterator[bytes]:
        yield from (_plan(f"j{n}") for n in range(PAGE_LINES_MAX))
        assert others_are_done.wait(60)
        yield _plan("last")

    with ThreadPoolExecutor(1) as thread:
        imported = thread.submit(ledger.import_records, lines())
        try:
            assert until(lambda: ledger.position() == PAGE_LINES_MAX, 30)
            with assemble(conninfo) as other:
                assert other.plan("T", job="other").position == PAGE_LINES_MAX + 1
        finally:
            others_are_done.set()
        assert imported.result().position == PAGE_LINES_MAX + 2


def test_callers_of_the_same_process_record_beside_an_import(ledger: Ledger, superuser: str) -> None:
    lines = [_plan(f"i{n}") for n in range(6 * PAGE_LINES_MAX)]

    def record(caller: int) -> None:
        for n in range(JOBS_EACH):
            ledger.plan("T", job=f"c{caller}/{n}")

    with ThreadPoolExecutor(CALLERS + 1) as threads:
        imported = threads.submit(ledger.import_records, lines)
        for done in [threads.submit(record, caller) for caller in range(CALLERS)]:
            done.result()
        summary = imported.result()

    assert (summary.recorded, summary.rejected) == (len(lines), 0)
    jobs = [entry.event.job for entry in ledger.events()]
    assert len(jobs) == len(set(jobs)) == len(lines) + CALLERS * JOBS_EACH
    assert [job for job in jobs if job.startswith("i")] == [f"i{n}" for n in range(len(lines))]
    with connect(superuser) as session:
        assert set(rebuild.compare(session).values()) == {0}
