"""Tasks that no job accounts for, and the job under which one is put on record."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ledger.asking.answers import Standing
from ledger.executors.protocol import Task, TaskState

TYPE = "Adopted"
ADOPTED = "adopted/"
JOB_ID_LENGTH_MAX = 200
_WORDS = {TaskState.RUNNING: "started", TaskState.SUSPENDED: "suspended"}


def job_of(task: Task) -> str:
    """The id of the job that adopts a task, always the same: `adopted/<executor>/<external id>`, or a digest."""
    name = f"{ADOPTED}{task.executor}/{task.external_id or task.token}"
    if len(name) <= JOB_ID_LENGTH_MAX and "/" not in task.executor:
        return name
    parts = json.dumps([task.executor, task.external_id, task.token])
    return f"{ADOPTED}{hashlib.sha256(parts.encode()).hexdigest()}"


def is_adopted(job: Standing) -> bool:
    """Whether a job was put on record for a task that no job accounted for."""
    return job.type == TYPE and job.job.startswith(ADOPTED)


def adoption(task: Task) -> list[Mapping[str, Any]]:
    """The records that put a task on record as a job, up to the state in which it was found."""
    job, why = job_of(task), f"{task.executor} has a task that no job accounted for"
    said = task.model_dump(mode="json", exclude_defaults=True)
    plan = {"type": TYPE, "reason": why, "entities": said.get("entities", [])}
    records: list[Mapping[str, Any]] = [{"job": job, "event": "planned", **plan}]
    if task.token is not None:
        records.append({"job": job, "event": "submitted", "executor": task.executor, "token": task.token})
    if task.external_id is not None:
        named = {"executor": task.executor, "external_id": task.external_id}
        records.append({"job": job, "event": "accepted", **named})
    fields: dict[str, Any] = {"raw": task.raw} if task.raw is not None else {}
    if task.state in _WORDS:
        records.append({"job": job, "event": _WORDS[task.state], **fields})
    elif task.state.final:
        fields |= {name: said[name] for name in ("error", "result", "products") if name in said}
        records.append({"job": job, "event": str(task.state), **fields, "evidence": {"task": task.told()}})
    return records
