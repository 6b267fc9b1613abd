"""What must be true of a flow after every crash: the ledger's records held against what really ran.

It reads records and the executor's journal, and shares no code with the ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Truth = Mapping[str, str | None]  # token → how its task ended; None while it has not; absent: never taken

CLOSING = {
    "succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled", "abandoned": "abandoned", "lost": "unknown",
}  # fmt: skip

PASSED_OVER = {  # of which nothing here depends
    "refused", "accepted", "started", "progressed", "suspended", "resumed", "cancel_requested", "attached", "detached",
    "contact_lost", "contact_regained", "closing", "adopted", "disputed", "late", "hold_placed", "hold_lifted",
    "expired",
}  # fmt: skip


def truth(facts: Iterable[Record]) -> dict[str, str | None]:
    """What really became of each task that an executor took, by its token, from its journal."""
    tokens: dict[str, str] = {}
    ends: dict[str, str | None] = {}
    for fact in facts:
        if fact["what"] == "accepted":
            assert fact["token"] not in ends, f"the task under {fact['token']} ran twice"
            tokens[fact["task"]] = fact["token"]
            ends[fact["token"]] = None
        elif fact["what"] in ("succeeded", "failed", "cancelled"):
            ends[tokens[fact["task"]]] = fact["what"]
    return ends


class Story:
    """What the records of the ledger say of each job."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.jobs: dict[str, list[Record]] = {}
        for record in records:
            self.jobs.setdefault(record["job"], []).append(record)

    def field(self, job: str, event: str, name: str) -> Any:
        return next((record.get(name) for record in self.jobs[job] if record["event"] == event), None)

    def outcome(self, job: str) -> str | None:
        found = None
        for record in self.jobs[job]:
            if record["event"] == "resolved":
                found = record["outcome"]
            found = CLOSING.get(record["event"], found)
        return found

    def children(self, job: str) -> list[str]:
        return [name for name in self.jobs if self.field(name, "planned", "parent") == job]

    def ran(self, job: str, true: Truth) -> str | None:
        """How the task of a job really ended; None where none was ever taken for it."""
        return true.get(self.field(job, "submitted", "token"))


def wrongs(records: Sequence[Record], true: Truth, *, ends: bool) -> list[str]:
    """Everything in the records of one flow that is not so; `ends`: its parents have an end action."""
    story = Story(records)
    found = [wrong for job in story.jobs for wrong in _wrong_history(job, story.jobs[job])]
    for job in story.jobs:
        if story.children(job):
            found += _wrong_parent(story, job, true, ends=ends)
        else:
            found += _wrong_child(story, job, true)
    return found + _missing(story, true)


def _wrong_history(job: str, records: Sequence[Record]) -> list[str]:
    """A stream begins with its plan, counts its versions, and closes once."""
    found = []
    if records[0]["event"] != "planned":
        found.append(f"{job} begins with {records[0]['event']}")
    if [record["version"] for record in records] != list(range(1, len(records) + 1)):
        found.append(f"{job} has not every version once")
    known = {"planned", "submitted", "resolved", *CLOSING, *PASSED_OVER}
    found += [
        f"{job} has a {record['event']}, of which no rule is known"
        for record in records
        if record["event"] not in known
    ]
    closings = [record for record in records if record["event"] in CLOSING]
    if len(closings) != 1:
        found.append(f"{job} closed {len(closings)} times")
    if [record["position"] for record in records] != sorted({record["position"] for record in records}):
        found.append(f"{job} is not in order")
    return found


def _wrong_child(story: Story, job: str, true: Truth) -> list[str]:
    outcome, token = story.outcome(job), story.field(job, "submitted", "token")
    if outcome in (None, "unknown"):
        return [f"{job} was left {outcome}"]
    if token is None or token not in true:
        return [] if outcome in ("abandoned", "cancelled") else [f"{job} never ran, and is {outcome}"]
    return [] if outcome == true[token] else [f"{job} really {true[token]}, and is {outcome}"]


def _wrong_parent(story: Story, job: str, true: Truth, *, ends: bool) -> list[str]:
    outcome = story.outcome(job)
    chains: dict[str, list[str]] = {}
    for child in story.children(job):
        chains.setdefault(story.field(child, "planned", "retry_of") or child, []).append(child)
    whole = all(any(story.ran(child, true) == "succeeded" for child in chain) for chain in chains.values())
    if outcome not in ("succeeded", "failed"):
        return [f"{job} was left {outcome}"]
    whole = whole and (not ends or true.get(f"{job}/end") == "succeeded")
    if outcome == "succeeded" and not whole:
        return [f"{job} succeeded, and not all that it needs really did"]
    return [f"{job} failed, and all that it needs succeeded"] if outcome == "failed" and whole else []


def _missing(story: Story, true: Truth) -> list[str]:
    """Nothing that ran is missing: each task that was taken is a job's, or the end action of one."""
    known = {story.field(job, "submitted", "token") for job in story.jobs} | {f"{job}/end" for job in story.jobs}
    return [f"a task ran under {token}, and no job knows it" for token in true.keys() - known]
