import signal
import subprocess
import sys
from pathlib import Path

from ledger.application import Ledger
from ledger.store.connection import connect
from projections.followed import follower
from tests.projections.followed import Noted, make, noted

ROOT = Path(__file__).parents[2]
STATEMENTS_MAX = 60


def test_a_follower_killed_anywhere_goes_on(ledger: Ledger, conninfo: str, superuser: str) -> None:
    """Killed before each of its statements, it has taken in whole pages, each event once, and goes on from there."""
    make(superuser)
    killed = 0
    for statement in range(STATEMENTS_MAX):
        ledger.plan("T", job=f"j{statement}")
        told = [(position, "planned") for position in range(1, statement + 2)]
        command = (sys.executable, "-m", "tests.projections.followed", conninfo, "3", str(statement % 12))
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        found = noted(superuser)
        assert found == told[: len(found)]
        assert code != 0 or found == told
    with connect(conninfo) as session:
        follower.follow(session, projections=[Noted()])
    assert killed > STATEMENTS_MAX // 4
    assert noted(superuser) == told
