import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from ledger.demo.fake.executor import FakeExecutor
from tests.recovery.facts import told, until

STARTS_AND_WAITS = """
import sys, time
from pathlib import Path
from ledger.demo.fake.executor import FakeExecutor
FakeExecutor(Path(sys.argv[1])).start()
print("started", flush=True)
time.sleep(600)
"""


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    executor = FakeExecutor(tmp_path)
    with subprocess.Popen([sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        started = parent.stdout.readline()
        parent.kill()

    assert started == b"started\n"
    until(lambda: not executor.running)


def test_it_ends_with_its_folder(tmp_path: Path) -> None:
    """Where its socket is elsewhere too, and that goes with it."""
    folder = tmp_path / ("long" * 30)
    executor = FakeExecutor(folder)
    try:
        executor.start(with_parent=False)
        executor.call("T", {}, "t1")
        address = Path((folder / "address").read_text())
        assert len(os.fsencode(address)) < 100
        assert address.parent.stat().st_mode & 0o777 == 0o700
        shutil.rmtree(folder)
        until(lambda: not address.parent.exists())
    finally:
        executor.stop()


def test_a_long_folder_leaves_nothing_behind_after_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    with FakeExecutor(folder) as executor:
        first = Path((folder / "address").read_text())
        executor.kill()
        executor.start()
        second = Path((folder / "address").read_text())
        assert executor.list().complete

    assert not first.exists() or first == second
    assert not second.parent.exists()
    assert not (folder / "address").exists()


def test_one_process_serves_a_folder(executor: FakeExecutor, truth: Path) -> None:
    """Who starts it where it runs already uses that one, and may stop it."""
    pid = (truth / "pid").read_text()
    second = subprocess.run([sys.executable, "-m", "ledger.demo.fake.process", str(truth)], check=False)
    assert second.returncode == os.EX_TEMPFAIL

    with FakeExecutor(truth) as other:
        assert (truth / "pid").read_text() == pid
        other.call("T", {}, "t1")

    assert not executor.running
    assert len(told(truth)) == 3


def test_a_stranger_may_kill_it(executor: FakeExecutor, truth: Path) -> None:
    FakeExecutor(truth).kill()

    assert not executor.running


def test_a_signal_ends_it_as_a_stop_does(executor: FakeExecutor, truth: Path) -> None:
    os.kill(int((truth / "pid").read_text()), signal.SIGTERM)

    until(lambda: not (truth / "address").exists())
