"""A few named situations that the tests of recovery start from."""

from collections.abc import Sequence
from typing import Any

from ledger.application import Ledger
from ledger.executors.protocol import Listing, Task
from ledger.executors.taskfile import ListedExecutor


def task(external_id: str | None, state: str, executor: str = "agent", **fields: Any) -> Task:
    """A task as an executor tells it."""
    return Task.model_validate({"executor": executor, "external_id": external_id, "state": state} | fields)


def listed(*tasks: Task, executor: str = "agent", **said: Any) -> ListedExecutor:
    """An executor of which one listing is known."""
    return ListedExecutor(Listing(executor, tasks, **said))


def running(ledger: Ledger, job: str, external_id: str | None = None, **terms: Any) -> None:
    """A job that its executor, `agent`, works on."""
    ledger.plan("T", job=job, **terms)
    who = {name: terms[name] for name in ("owner", "epoch") if name in terms}
    ledger.start(job, "agent", external_id or f"task-{job}", **who)


def remove_vm(ledger: Ledger, disks: int = 4, *, sent: int = 2, end_action: str = "auto") -> str:
    """RemoveVm with its disks, of which some were sent, and then silence."""
    children = [
        {"job": f"rm/d{n}", "type": "RemoveDisk", "entities": [{"type": "disk", "id": f"d{n}"}]}
        for n in range(1, disks + 1)
    ]
    ledger.plan("RemoveVm", job="rm", end_action=end_action, children=children, entities=[{"type": "vm", "id": "v"}])
    for n in range(1, sent + 1):
        ledger.submit(f"rm/d{n}", "agent", f"token-{n}")
        ledger.accept(f"rm/d{n}", f"task-{n}")
    return "rm"


def outcomes(ledger: Ledger, jobs: Sequence[str]) -> list[str | None]:
    """How each job ended."""
    return [ledger.job(job).outcome for job in jobs]
