import random
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.domain.events import Ended, Planned
from ledger.errors import EntityBusy

JOBS, HOSTS, WORKERS = 3_000, 32, 4
A_HOST, ALL = 2, 16


def _at_most(kind: str, name: str, at_most: int) -> dict[str, Any]:
    return {"type": "RelocateVm", "entity": {"type": kind, "id": name}, "at_most": at_most}


def _relocation(job: str, source: str, destination: str) -> dict[str, Any]:
    roles = (("host", source, "source"), ("host", destination, "destination"), ("cluster", "c1", "location"))
    entities = [{"type": kind, "id": name, "role": role, "access": "none"} for kind, name, role in roles]
    limits = [_at_most("host", host, A_HOST) for host in (source, destination)]
    vm = {"type": "vm", "id": job}
    return {"job": job, "entities": [vm, *entities], "limits": [*limits, _at_most("cluster", "c1", ALL)]}


def _work(ledger: Ledger, waiting: deque[dict[str, Any]]) -> None:
    """Start what is admitted; what is not is put back, and one of those that this worker started is finished."""
    running: deque[str] = deque()
    while plan := _next(waiting):
        try:
            ledger.plan("RelocateVm", **plan, record_refusal=False)
            running.append(plan["job"])
        except EntityBusy:
            waiting.append(plan)
            if running:
                ledger.succeed(running.popleft())
    for job in running:
        ledger.succeed(job)


def _next(waiting: deque[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return waiting.popleft()
    except IndexError:  # another worker may have taken the last
        return None


def _most_at_once(ledger: Ledger) -> dict[str, int]:
    """The most jobs that the log shows on each entity at any position."""
    on: dict[str, set[str]] = {}
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for entry in ledger.events():
        event = entry.event
        if isinstance(event.fact, Planned):
            on[event.job] = {f"{entity.type}/{entity.id}" for entity in event.fact.entities}
            now.update(on[event.job])
            most |= Counter({entity: now[entity] for entity in on[event.job]})
        elif isinstance(event.fact, Ended):
            now.subtract(on.pop(event.job))
    return most


def test_a_campaign_runs_through_admission_alone(ledger: Ledger) -> None:
    """Nobody counts but the ledger: 3,000 relocations are all done, and the log shows never more than was allowed."""
    chance = random.Random("campaign")
    hosts = [f"h{n}" for n in range(HOSTS)]
    waiting = deque(_relocation(f"vm-{n}", *chance.sample(hosts, 2)) for n in range(JOBS))
    with ThreadPoolExecutor(WORKERS) as pool:
        for worker in [pool.submit(_work, ledger, waiting) for _ in range(WORKERS)]:
            worker.result()

    assert sum(1 for _ in ledger.jobs(JobFilter(outcome="succeeded"))) == JOBS
    most = _most_at_once(ledger)
    assert most.pop("cluster/c1") == ALL
    assert {most[f"host/{host}"] for host in hosts} == {A_HOST}
    assert ledger.position() == 2 * JOBS
