import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.integrity.trust import Trust
from ledger.integrity.verify import Verifier
from tests.integrity.conftest import record, room_of

ROOT = Path(__file__).parents[2]
Live = Callable[[str, Path, str, int], int]


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """Lets a sealer live in a process of its own, until it dies at a boundary."""
    command = (sys.executable, "-W", "ignore", "-m", "tests.integrity.victims")
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        sends, reads = process.stdin, process.stdout
        assert sends is not None
        assert reads is not None

        def call(conninfo: str, path: Path, verb: str, at: int) -> int:
            sends.write(json.dumps([conninfo, str(path), verb, at]) + "\n")
            sends.flush()
            return int(reads.readline())

        yield call
        sends.close()


def _goes_on(conninfo: str, file: KeyFile, events: int) -> None:
    """The next sealer goes on from what is there, and what it leaves is whole."""
    done = Sealer(room_of(conninfo), file).seal()
    assert done.signed.size == events
    key = file.verifier()
    assert key is not None
    assert Verifier(room_of(conninfo), Trust((key,)), file.kept()).verify().ok


def test_a_first_seal_killed_anywhere(fresh: Callable[[], str], live: Live, tmp_path: Path) -> None:
    kills, ended = 0, -9
    while ended == -9:
        kills += 1
        conninfo, file = fresh(), KeyFile(tmp_path / f"{kills}" / "seal.key")
        record(conninfo, 1, 500)
        ended = live(conninfo, file.path, "seal", kills)
        _goes_on(conninfo, file, 500)
    assert ended == 0
    assert kills > 40


def test_a_seal_and_a_rotation_killed_anywhere(fresh: Callable[[], str], live: Live, tmp_path: Path) -> None:
    conninfo, file = fresh(), KeyFile(tmp_path / "seal.key")
    first = Sealer(room_of(conninfo), file).seal()
    pinned = file.read().verifier
    kills, ended, events = 0, -9, 0
    while ended == -9:
        kills, events = kills + 1, events + 10
        record(conninfo, events - 9, events)
        ended = live(conninfo, file.path, "rotate", kills)
        _goes_on(conninfo, file, events)
    assert ended == 0
    assert kills > 40
    assert file.read().verifier != pinned
    report = Verifier(room_of(conninfo), Trust((pinned,)), first.signed).verify()
    assert report.ok, report.findings
