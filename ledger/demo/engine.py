"""An engine as a control plane has one: it plans operations, has an executor do them, and records what becomes of them.

For tests and for the demo; it shows the order of calls that survives a crash between any two of them. `on_step` is told
before and after each call, so that whoever watches can stop it there.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.application import Ledger
from ledger.asking.answers import JobFilter, JobView
from ledger.demo.fake.executor import FakeExecutor
from ledger.domain.decisions import Disposition
from ledger.domain.quorum import Child, Family, QuorumValue, evidence, parent_value
from ledger.domain.states import EndAction, Outcome
from ledger.errors import ExecutorUnreachable
from ledger.executors.protocol import Task, TaskState

POLL_SECONDS = 0.005

ScriptJson = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One task of an operation: what is asked of the executor, and which entity it touches."""

    type: str
    entity: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Flow:
    """An operation of several tasks on one thing; `end` is what the executor does in an end action."""

    type: str
    entity: Mapping[str, str]
    parts: Sequence[Part]
    end_action: EndAction = EndAction.NONE
    end: str | None = None
    product: Mapping[str, str] | None = None
    retries: bool = False

    def plan(self, job: str) -> dict[str, Any]:
        """The terms of the plan, every child included."""
        children = [
            {"job": f"{job}/{part.entity['id']}", "type": part.type, "entities": [part.entity]} for part in self.parts
        ]
        return {"entities": [self.entity], "end_action": str(self.end_action), "children": children}


def _disks(vm: str, count: int, access: str = "exclusive") -> list[Mapping[str, str]]:
    return [{"type": "disk", "id": f"{vm}-d{n}", "access": access} for n in range(1, count + 1)]


def remove_vm(vm: str, disks: int) -> Flow:
    """Remove a VM with all its disks; done when the last disk is gone."""
    parts = [Part("RemoveDisk", disk) for disk in _disks(vm, disks)]
    return Flow("RemoveVm", {"type": "vm", "id": vm}, parts, EndAction.AUTO)


def create_template(vm: str, disks: int) -> Flow:
    """Copy every disk of a VM, then seal the copies as a template: an end action of the owner."""
    parts = [Part("CopyDisk", disk) for disk in _disks(vm, disks, "shared")]
    source = {"type": "vm", "id": vm, "role": "source", "access": "shared"}
    product = {"type": "template", "id": f"{vm}-template"}
    return Flow("CreateTemplate", source, parts, EndAction.OWNER, "SealTemplate", product)


def create_snapshot(vm: str, disks: int) -> Flow:
    """Snapshot every disk of a VM; its own report says when it is whole."""
    parts = [Part("SnapshotDisk", disk) for disk in _disks(vm, disks)]
    product = {"type": "snapshot", "id": f"{vm}-snapshot"}
    return Flow("CreateSnapshot", {"type": "vm", "id": vm}, parts, EndAction.NONE, None, product)


def hibernate_vm(vm: str, volumes: int) -> Flow:
    """Save the memory of a VM to volumes, each tried twice, then stop it: an end action of the owner."""
    parts = [Part("SaveMemory", {**disk, "type": "volume"}) for disk in _disks(vm, volumes)]
    return Flow("HibernateVm", {"type": "vm", "id": vm}, parts, EndAction.OWNER, "StopVm", retries=True)


FLOWS: Mapping[str, Callable[[str, int], Flow]] = {
    "RemoveVm": remove_vm,
    "CreateTemplate": create_template,
    "CreateSnapshot": create_snapshot,
    "HibernateVm": hibernate_vm,
}


@dataclass(slots=True)
class Engine:
    """Runs flows on one executor; `ledger` speaks as an owner, `scripts` say what the fake does about a child."""

    ledger: Ledger
    executor: FakeExecutor
    on_step: Callable[[str], None] = lambda _: None
    scripts: Mapping[str, ScriptJson] = field(default_factory=dict)

    def run(self, flow: Flow, job: str) -> JobView:
        """Carry an operation through, and return the job as it ended.

        Raises `EntityBusy` where others are in the way.
        """
        self.on_step(f"planning {job}")
        self.ledger.plan(flow.type, job=job, **flow.plan(job))
        self.on_step(f"planned {job}")
        for part in flow.parts:
            self._send(f"{job}/{part.entity['id']}", part.type, part.entity)
        self.settle(flow, job)
        return self.ledger.job(job)

    def _send(self, job: str, operation: str, entity: Mapping[str, Any]) -> None:
        def call(token: str) -> str:
            self.on_step(f"calling {job}")
            script = self.scripts.get(job.rpartition("/")[2])
            external_id = self.executor.call(operation, {"id": entity["id"]}, token, script)
            self.on_step(f"answered {job}")
            return external_id

        try:
            self.ledger.dispatch(job, call, executor=self.executor.name)
        except ExecutorUnreachable:
            return  # the call may have arrived; whoever settles looks for its token
        self.on_step(f"sent {job}")

    def settle(self, flow: Flow, job: str) -> None:
        """Wait for every task of an operation that is under way, record how it ended, and close what can be closed."""
        while sent := [child for child in self._children(job) if self._is_mine(child) and child.phase != "planned"]:
            if not any(self._look(flow, child) for child in sent):
                time.sleep(POLL_SECONDS)
        self._end(flow, self.ledger.job(job))

    def _children(self, job: str) -> list[JobView]:
        return list(self.ledger.jobs(JobFilter(parent=job, active=True)))

    def _is_mine(self, job: JobView) -> bool:
        mine = self.ledger.owner
        return mine is not None and not job.done and (job.owner, job.epoch) == mine

    def _look(self, flow: Flow, job: JobView) -> bool:
        """Ask for a task, and record how it ended; whether there was anything to record."""
        try:
            task = self.executor.ask(job.external_id, job.token)
            if task is None and job.phase == "submitted" and job.token is not None:
                task = self.executor.fence(job.token)  # from now on the call cannot arrive any more
        except ExecutorUnreachable:
            return self.ledger.lose_contact(job.job).disposition is Disposition.RECORDED
        if "contact_lost" in job.flags:
            self.ledger.regain_contact(job.job)
        if task is not None and not task.state.final:
            return False
        self.on_step(f"recording {job.job}")
        self._record(flow, job, task)
        self.on_step(f"recorded {job.job}")
        return True

    def _record(self, flow: Flow, job: JobView, task: Task | None) -> None:
        if task is None:
            evidence = {"executor": job.executor, "asked": True}
            if job.phase == "submitted":
                self.ledger.abandon(job.job, evidence=evidence)
            else:
                self.ledger.lose(job.job, evidence)
            return
        if job.external_id is None and task.external_id is not None:
            self.ledger.accept(job.job, task.external_id, task.executor)
        fields: dict[str, Any] = {"raw": task.raw} if task.raw else {}
        if task.state is TaskState.SUCCEEDED:
            self.ledger.succeed(job.job, task.result, **fields)
        elif task.state is TaskState.CANCELLED:
            self.ledger.record({"job": job.job, "event": "cancelled", **fields})
        else:
            if flow.retries and job.retry_of is None and "cancel_requested" not in job.flags:
                self._try_again(job)
            self.ledger.fail(job.job, task.error.model_dump() if task.error else None, **fields)

    def _try_again(self, job: JobView) -> None:
        """Plan and send a job once more, before its failure is reported and could close its parent."""
        again = f"{job.job}-again"
        entities = [{"type": it["type"], "id": it["id"], "access": it["access"]} for it in job.entities]
        self.ledger.plan(job.type, job=again, parent=job.parent, retry_of=job.job, entities=entities)
        self._send(again, job.type, entities[0])

    def _end(self, flow: Flow, job: JobView) -> None:
        """Close an operation whose children are closed, by what it was planned to close by."""
        if job.done or any(not child.done for child in self._children(job.job)):
            return
        if flow.end_action is EndAction.OWNER:
            self.ledger.claim_closing(job=job.job)
            if not self._is_mine(self.ledger.job(job.job)):
                return
            self.on_step(f"claimed {job.job}")
        self._close(flow, job)
        self.on_step(f"closed {job.job}")

    def _close(self, flow: Flow, job: JobView) -> None:
        children = list(self.ledger.jobs(JobFilter(parent=job.job)))[::-1]
        family = Family([Child(it.job, Outcome(it.outcome), it.required, it.retry_of) for it in children if it.outcome])
        value = parent_value(family, cancelling="cancel_requested" in job.flags)
        if value is QuorumValue.UNKNOWN:
            self.ledger.lose(job.job, evidence(family))
        elif value is not QuorumValue.SUCCEEDED:
            self.ledger.record({"job": job.job, "event": str(value), "evidence": evidence(family)})
        else:
            if flow.end is not None:
                # The same token each time, so that an end action done twice is done once.
                task = self.executor.call(flow.end, {"id": flow.entity["id"]}, f"{job.job}/end")
                self.ledger.accept(job.job, task, self.executor.name)
            self.ledger.succeed(job.job, products=[flow.product] if flow.product else [])


def main(words: Sequence[str] | None = None) -> None:
    """Run one flow as a process of its own, a line a step on stdout; with --paced, each waits for a line on stdin."""
    from ledger import open_ledger  # noqa: PLC0415 - the lazy way upward

    parser = argparse.ArgumentParser(prog="example engine")
    parser.add_argument("flow", choices=sorted(FLOWS))
    parser.add_argument("thing")
    parser.add_argument("job")
    parser.add_argument("folder", type=Path, help="of the fake executor")
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--owner", default="engine")
    parser.add_argument("--executor", default="fake", help="its name")
    parser.add_argument("--scripts", type=json.loads, default={})
    parser.add_argument("--paced", action="store_true")
    options = parser.parse_args(words)

    def tell(step: str) -> None:
        print(step, flush=True)
        if options.paced:
            sys.stdin.readline()

    with open_ledger() as ledger, ledger.start_owner(options.owner) as own:
        engine = Engine(own, FakeExecutor(options.folder, options.executor), tell, options.scripts)
        engine.run(FLOWS[options.flow](options.thing, options.parts), options.job)


if __name__ == "__main__":
    main()
