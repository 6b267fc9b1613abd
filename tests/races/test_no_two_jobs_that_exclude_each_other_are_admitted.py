import contextlib
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import EntityBusy, LedgerError
from ledger.service.assembly import assemble
from ledger.service.transcript import transcribe
from tests.races.broken import BROKEN
from tests.races.log import violations

PROCESSES, THREADS, ROUNDS, ENTITIES = 2, 8, 25, 20
AT_MOST = 3


def _entity(chance: random.Random) -> dict[str, Any]:
    access = chance.choice(["exclusive", "shared", "shared"])
    return {"type": "disk", "id": f"d{chance.randrange(ENTITIES)}", "access": access}


def _work(ledger: Ledger, name: str) -> int:
    """Plan on random disks, end what was admitted; the number of plans that were admitted is returned."""
    chance, admitted = random.Random(name), 0
    for n in range(ROUNDS):
        entities = {entity["id"]: entity for entity in (_entity(chance) for _ in range(3))}
        limits = [{"type": "T", "entity": {"type": "disk", "id": name}, "at_most": AT_MOST} for name in entities]
        try:
            ledger.plan("T", job=f"{name}/{n}", entities=list(entities.values()), limits=limits)
        except EntityBusy:
            continue
        admitted += 1
        if chance.random() < 0.8:
            ledger.succeed(f"{name}/{n}")
    return admitted


def work(conninfo: str, process: str) -> None:
    """What one process does."""
    with assemble(conninfo) as ledger, ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(lambda n: _work(ledger, f"{process}-{n}"), range(THREADS))) > 0


PROGRAM = f"import sys; sys.path.insert(0, '.'); from {__name__} import work; work(*sys.argv[1:])"


def test_no_two_jobs_that_exclude_each_other_are_admitted(conninfo: str, ledger: Ledger) -> None:
    running = [subprocess.Popen((sys.executable, "-c", PROGRAM, conninfo, str(n))) for n in range(PROCESSES)]
    assert [process.wait(timeout=60) for process in running] == [0] * PROCESSES

    records = list(transcribe(ledger.events()))
    assert violations(records, "T", AT_MOST) == []
    assert sum(record["event"] == "planned" for record in records) > PROCESSES * THREADS
    assert any(record["event"] == "refused" for record in records)


def test_without_the_lock_the_same_check_finds_double_admissions(
    superuser: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(BROKEN)
    monkeypatch.setitem(__import__("ledger.store.statements", fromlist=["SQL"]).SQL, "take_append_lock", "SELECT 1")
    monkeypatch.setattr("projections.runner.InlineViews.catch_up", lambda *_: None)
    found: list[str] = []
    for n in range(200):
        _plan_at_once(superuser, f"disk-{n}")
        found = violations(transcribe(ledger.events()))
        if found:
            break
    assert found


def _plan_at_once(conninfo: str, disk: str) -> None:
    def plan(n: int) -> None:
        with assemble(conninfo) as ledger, contextlib.suppress(LedgerError):
            ledger.plan("T", job=f"{disk}/{n}", entities=[{"type": "disk", "id": disk}])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(plan, range(4)))
