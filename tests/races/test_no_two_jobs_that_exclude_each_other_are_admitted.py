import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from ledger.application import Ledger
from ledger.domain.admission import Held
from ledger.errors import IntegrityFailure, LedgerError
from ledger.records.transcript import transcribe
from ledger.service.assembly import assemble
from tests.races.broken import BROKEN
from tests.races.log import violations
from tests.races.race import PROCESSES, THREADS, race

SECONDS = 15
HAPPENED = {"planned", "refused", "attached", "detached", "lost", "resolved", "failed", "abandoned"}
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def test_no_two_jobs_that_exclude_each_other_are_admitted(superuser: str, conninfo: str, ledger: Ledger) -> None:
    """Nor is a limit passed or a refusal untrue; every caller comes on, and every process to its end."""
    callers = race(conninfo, SECONDS)

    assert violations(transcribe(ledger.events())) == []
    assert len(callers) == PROCESSES * THREADS
    assert all(admitted and refused for admitted, refused in callers)
    assert Counter(entry.event.name for entry in ledger.events()).keys() == HAPPENED
    with psycopg.connect(superuser) as connection:
        assert connection.execute(DEADLOCKS).fetchall() == [(0,)]


def test_where_admission_is_blind_the_same_check_finds_double_admissions(
    superuser: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.appending.holdings.Holdings.against", lambda *_: Held([], 0))
    _plan_at_once(superuser, "disk")
    assert violations(transcribe(ledger.events()))


@pytest.mark.parametrize("beyond", [1, 2, 7])
def test_without_the_lock_nothing_is_recorded_under_a_position_that_is_not_its_own(
    superuser: str, ledger: Ledger, beyond: int
) -> None:
    """The views are written for the positions that follow the head; where others were given, the append fails."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(BROKEN)
        connection.execute("SELECT setval('ledger.stored_events_notification_id_seq', %s)", [beyond])

    with pytest.raises(IntegrityFailure, match="without a gap"):
        ledger.plan("T", job="misplaced", children=[{"job": "beside", "type": "T"}])

    assert ledger.position() == 0
    assert list(ledger.jobs()) == []


def _plan_at_once(conninfo: str, disk: str) -> None:
    def plan(n: int) -> None:
        with assemble(conninfo) as ledger, contextlib.suppress(LedgerError):
            ledger.plan("T", job=f"{disk}/{n}", entities=[{"type": "disk", "id": disk}])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(plan, range(4)))
