import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.ahead import process
from ledger.application import Ledger
from ledger.records import PAGE_LINES_MAX
from ledger.service.embedded.lock import until

PAGES = 16


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSTOP])
def test_an_import_goes_on_without_the_process_that_helped_it(ledger: Ledger, ending: signal.Signals) -> None:
    """Whether it has gone, or hangs."""
    lines = [b'{"job":"j%d","event":"planned","type":"T"}' % n for n in range(PAGES * PAGE_LINES_MAX)]
    helped: list[int] = []

    with process() as pool:

        def end(_: object) -> None:
            if not helped and ledger.position() > len(lines) // 2:
                helped.extend(pool._processes)
                os.kill(helped[0], ending)

        pool.submit(int).result()
        try:
            summary = ledger.import_records(lines, on_page=end, pool=pool)
        finally:
            if ending == signal.SIGSTOP:
                os.kill(helped[0], signal.SIGCONT)

    assert len(helped) == 1
    assert (summary.read, summary.recorded, summary.rejected) == (len(lines), len(lines), 0)
    assert [entry.event.job for entry in ledger.events()] == [f"j{n}" for n in range(len(lines))]


PARENT = """
import os, signal
from ledger.ahead import process
if __name__ == "__main__":
    with process() as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        signal.pause()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_helps_ends_with_its_parent(ending: signal.Signals) -> None:
    words = (sys.executable, "-c", PARENT)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        helper = int(parent.stdout.readline())
        assert _runs(helper)
        parent.send_signal(ending)
        parent.wait(timeout=30)

    assert until(lambda: not _runs(helper), 30)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
