import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ledger.application import Ledger


def test_imports_that_overlap_leave_the_collector_as_it_was(ledger: Ledger) -> None:
    before = gc.get_threshold()
    second_reads, first_ended = threading.Event(), threading.Event()

    def first() -> Iterator[bytes]:
        assert second_reads.wait(30)
        yield b'{"job":"a","event":"planned","type":"T"}'

    def second() -> Iterator[bytes]:
        second_reads.set()
        assert first_ended.wait(30)
        yield b'{"job":"b","event":"planned","type":"T"}'

    with ThreadPoolExecutor(2) as threads:
        ends = [threads.submit(ledger.import_records, lines()) for lines in (first, second)]
        assert ends[0].result().recorded == 1
        first_ended.set()
        assert ends[1].result().recorded == 1

    assert gc.get_threshold() == before
