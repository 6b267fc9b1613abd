"""What may never be, written down from the contract and without the code of the domain.

A `Model` hears the events one by one and objects to the first that must not be; it knows their words alone.
"""

from collections.abc import Sequence
from typing import Any

from ledger.domain.events import Event

ENDS = {"succeeded", "failed", "cancelled", "abandoned", "lost", "refused"}
AFTER_THE_END = {"disputed", "late", "hold_placed", "hold_lifted", "expired"}
PASSED_OVER = {"resumed", "attached", "detached", "contact_lost", "contact_regained", "adopted"}  # no rule is of these
RANK = {"planned": 0, "submitted": 1, "accepted": 2, "started": 3, "progressed": 3, "suspended": 3, "closing": 4}


class Line:
    """One job as the model knows it."""

    def __init__(self, plan: Any) -> None:
        self.plan = plan
        self.outcome: str | None = None
        self.rank = 0
        self.through_children = self.cancelled = self.held = self.expired = self.failed_before = False
        self.names: tuple[str | None, str | None] = (None, None)


class Model:
    """Every rule that a history must keep."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.versions: dict[str, int] = {}
        self.fences: dict[str, int] = {}

    def hear(self, events: Sequence[Event], *, historical: bool) -> None:
        """Hear the events of one append."""
        for event in events:
            self.versions[event.stream] = self.versions.get(event.stream, 0) + 1
            assert event.version == self.versions[event.stream], "versions are contiguous"
            if event.stream.startswith("owner:"):
                assert event.name in ("owner_started", "owner_fenced"), "of an owner no other rule is known"
                newest = (event.epoch or 0) - (event.name == "owner_started")
                self.fences[event.job] = max(newest, self.fences.get(event.job, 0))
            else:
                self._hear_of_job(event, historical=historical)
        self._look_at_parents()
        self._look_at_trees()

    def _hear_of_job(self, event: Event, *, historical: bool) -> None:
        if event.owner and event.epoch is not None and event.epoch <= self.fences.get(event.owner, 0):
            assert event.name == "late", "a fenced epoch changes nothing"
        line = self.lines.get(event.job)
        if event.name == "planned":
            assert line is None or line.outcome == "refused", "planned once, or again after it was refused"
            self._hear_plan(event, historical=historical)
        elif line is None:
            assert event.name == "refused", "a stream begins with planned or refused"
            self.lines[event.job] = Line(None)
            self.lines[event.job].outcome = "refused"
        elif line.outcome is not None:
            self._hear_after_the_end(line, event)
        else:
            self._hear_while_open(line, event, historical=historical)

    def _hear_plan(self, event: Event, *, historical: bool) -> None:
        before = self.lines.get(event.job)
        plan = self.lines[event.job] = Line(event.fact)
        plan.held = before is not None and before.held
        if plan.plan.parent is None:
            return
        above = self.lines[plan.plan.parent]
        assert above.outcome is None, "children are added to an open parent"
        assert above.rank < RANK["closing"], "children are added before their parent is closing"
        assert historical or not self._cancelled(plan.plan.parent), "nothing is planned below what is cancelled"
        if plan.plan.retry_of is not None:
            assert self.lines[plan.plan.retry_of].plan.parent == plan.plan.parent, "a retry has the same parent"

    def _hear_after_the_end(self, line: Line, event: Event) -> None:
        if event.name == "resolved":
            assert line.outcome == "unknown", "only unknown is resolved"
            line.outcome = str(event.fact.outcome)  # type: ignore[attr-defined]
            assert line.outcome not in ("unknown", "refused")
            self._look_at_success(event.job)
        elif event.name == "refused":
            assert line.outcome == "refused"
        else:
            assert event.name in AFTER_THE_END, "an outcome is never overwritten"
            assert event.name != "disputed" or line.outcome != "unknown", "unknown is resolved, not disputed"
            self._hear_flag(line, event.name)

    def _hear_while_open(self, line: Line, event: Event, *, historical: bool) -> None:
        assert event.name not in ("resolved", "disputed", "expired", "refused"), "these need an end"
        assert event.name in ENDS | AFTER_THE_END | RANK.keys() | PASSED_OVER | {"cancel_requested"}, "no rule is known"
        if event.name == "submitted":
            assert line.rank == 0, "submitted before anything else"
            assert historical or not self._cancelled(event.job), "nothing is submitted below what is cancelled"
        if event.name == "closing":
            assert self._children(event.job), "only a parent has an end action"
            assert all(child.outcome for child in self._children(event.job).values())
        if event.name == "abandoned":
            assert line.rank < RANK["accepted"], "only what was never begun is abandoned"
        line.rank = max(line.rank, RANK.get(event.name, 0))
        self._hear_names(line, event)
        self._hear_flag(line, event.name)
        if event.name in ENDS:
            line.outcome = "unknown" if event.name == "lost" else event.name
            evidence = event.fact.evidence  # type: ignore[attr-defined]
            line.through_children = event.name == "lost" and isinstance(evidence, dict) and "children" in evidence
            line.failed_before = self._failed(event.job)
            self._look_at_success(event.job)

    def _hear_names(self, line: Line, event: Event) -> None:
        said = tuple(getattr(event.fact, name, None) for name in ("executor", "external_id"))
        for had, now in zip(line.names, said, strict=True):
            assert None in (had, now) or had == now, "a name does not change"
        line.names = (line.names[0] or said[0], line.names[1] or said[1])
        others = [other.names for job, other in self.lines.items() if job != event.job and other.names[1]]
        assert line.names not in others, "an external id belongs to one job"

    def _hear_flag(self, line: Line, word: str) -> None:
        line.cancelled |= word == "cancel_requested"
        line.expired |= word == "expired"
        line.held = word == "hold_placed" or (line.held and word != "hold_lifted")

    def _cancelled(self, job: str | None) -> bool:
        while job is not None:
            if self.lines[job].cancelled:
                return True
            job = self.lines[job].plan.parent
        return False

    def _children(self, parent: str) -> dict[str, Line]:
        found = {job: line for job, line in self.lines.items() if line.plan is not None and line.plan.parent == parent}
        return {job: line for job, line in found.items() if line.outcome != "refused"}

    def _required_chains(self, parent: str) -> list[set[str | None]]:
        chains: dict[str, set[str | None]] = {}
        children = self._children(parent)
        for job, line in children.items():
            first = job
            while self.lines[first].plan.retry_of is not None:
                first = self.lines[first].plan.retry_of
            if self.lines[first].plan.required:
                chains.setdefault(first, set()).add(line.outcome)
        return list(chains.values())

    def _failed(self, job: str) -> bool:
        return any(chain.isdisjoint({"succeeded", "unknown", None}) for chain in self._required_chains(job))

    def _look_at_success(self, job: str) -> None:
        if self.lines[job].outcome == "succeeded":
            chains = self._required_chains(job)
            assert all("succeeded" in chain for chain in chains), "a parent succeeds only where its chains did"

    def _look_at_parents(self) -> None:
        for job, line in self.lines.items():
            children = self._children(job)
            if line.plan is None or not children:
                continue
            if line.plan.end_action == "auto":
                assert line.outcome or not all(child.outcome for child in children.values()), "auto closes by itself"
            if line.through_children and line.outcome == "unknown":
                assert line.failed_before or not self._failed(job), "a lost parent is resolved when it has failed"

    def _look_at_trees(self) -> None:
        for job, line in self.lines.items():
            if line.expired and line.plan is not None:
                assert line.outcome not in (None, "unknown"), "what expires has ended"
                for below in self._children(job).values():
                    assert below.expired or line.plan.parent is not None, "a tree expires with its root"
