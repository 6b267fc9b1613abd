"""The tasks of the fake executor: each follows a script, and all are known again from the journal after a restart.

No thread runs a task. What has become of it by now is worked out, in order of time, whenever somebody asks.
"""

import heapq
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ledger.clock import monotonic, now
from ledger.demo.fake.journal import Journal
from ledger.demo.fake.script import Script, read_script
from ledger.errors import TokenFenced


@dataclass(slots=True)
class HeldTask:
    """A task as the process holds it; `ended` is a time of the monotonic clock, None while it has not ended."""

    external_id: str
    token: str | None
    operation: str
    script: Script
    state: str = "queued"
    ended: float | None = None
    forgotten: bool = False

    def told(self) -> dict[str, Any]:
        """The task as JSON, with no more than it has to tell."""
        script, ended = self.script, self.state == self.script.ends
        fields = {
            "external_id": self.external_id,
            "token": self.token,
            "state": self.state,
            "percent": 100 if self.state == "succeeded" else script.percent,
            "error": script.error if ended else None,
            "result": script.result if ended else None,
            "products": script.products if ended else None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def told_late(self) -> dict[str, Any]:
        """The task as it was earlier: running, and half as far."""
        percent = self.told().get("percent", 0) / 2
        return {"external_id": self.external_id, "token": self.token, "state": "running", "percent": percent}


class Tasks:
    """All tasks of one process. A method is a verb and answers in JSON values; one thread at a time may call it.

    `default` is the script of a task that is called without one. What a verb changed is in the journal when it returns.
    """

    def __init__(self, journal: Journal, facts: list[dict[str, Any]], name: str, default: dict[str, Any]) -> None:
        self._journal, self._default = journal, default
        read_script(default)
        self._prefix = f"{name}-{os.urandom(4).hex()}"  # an external id is given once, in whatever folder
        self._known: dict[str, HeldTask] = {}  # all that list and ask speak of
        self._taken: dict[str, HeldTask] = {}  # by token, the forgotten ones too: a token is never taken twice
        self._fenced: set[str] = set()
        self._forgot = False
        self._due: list[tuple[float, int, HeldTask, bool]] = []  # when each task ends, or (True) is forgotten
        self._facts: list[dict[str, Any]] = []
        self._serial = 0
        self._clock_zero = now() - timedelta(seconds=monotonic())
        self._restore(facts)

    def call(self, operation: str, params: Any, token: str | None, said: Any) -> tuple[str, Script | None]:
        """The external id of a task, with its script where it is new; raises `TokenFenced`, `MalformedRecord`."""
        moment = self.settle()
        if token in self._fenced:
            raise TokenFenced("A call must be under a token that was not fenced, and this one was.", token=token)
        if token is not None and token in self._taken:
            return self._taken[token].external_id, None
        said = self._default if said is None else said
        script = read_script(said)
        task = HeldTask(f"{self._prefix}-{self._next()}", token, operation, script)
        self._hold(task)
        self._note("accepted", moment, task, params=params, script=said)
        if script.dies is None:
            self._begin(task, moment)
        self._settle(moment)
        return task.external_id, script

    def listing(self) -> dict[str, Any]:
        """Every task that is known, and whether none was ever forgotten."""
        self.settle()
        tasks = []
        for task in self._known.values():
            tasks += [task.told(), task.told_late()] if task.script.twice else [task.told()]
        return {"tasks": tasks, "complete": not self._forgot, "tokens": True}

    def ask(self, external_id: str | None, token: str | None) -> dict[str, Any] | None:
        """One task, unless it is unknown or forgotten."""
        self.settle()
        task = self._known.get(external_id or "") or self._taken.get(token or "")
        return None if task is None or task.forgotten else task.told()

    def cancel(self, external_id: str) -> bool:
        """Whether this ended the task, as cancelled."""
        return self._stop(external_id, "cancelled")

    def release(self, external_id: str) -> bool:
        """Whether this ended the task, as its script says."""
        task = self._known.get(external_id)
        return task is not None and self._stop(external_id, task.script.ends)

    def fence(self, token: str) -> dict[str, Any] | None:
        """The task that was taken under the token, be it forgotten; no call is taken under it from now on."""
        moment = self.settle()
        if token not in self._fenced:
            self._fenced.add(token)
            self._note("fenced", moment, token=token)
            self._flush()
        return self._taken[token].told() if token in self._taken else None

    def settle(self) -> float:
        """Let everything happen that was due by now; the time of the monotonic clock is returned."""
        moment = monotonic()
        self._settle(moment)
        return moment

    def _settle(self, moment: float) -> None:
        while self._due and self._due[0][0] <= moment:
            at, _, task, to_forget = heapq.heappop(self._due)
            if to_forget and not task.forgotten:
                self._forget(task)
                self._note("forgotten", at, task)
            elif not to_forget and task.ended is None:
                self._end(task, task.script.ends, at)
        self._flush()

    def _stop(self, external_id: str, state: str) -> bool:
        moment = self.settle()
        task = self._known.get(external_id)
        if task is None or task.ended is not None:
            return False
        self._end(task, state, moment)
        self._settle(moment)
        return True

    def _begin(self, task: HeldTask, moment: float) -> None:
        self._note("started", moment, task)
        self._run(task, moment)

    def _end(self, task: HeldTask, state: str, moment: float) -> None:
        self._note(state, moment, task)
        self._ended(task, state, moment)

    def _hold(self, task: HeldTask) -> None:
        self._known[task.external_id] = task
        if task.token is not None:
            self._taken[task.token] = task

    def _run(self, task: HeldTask, moment: float) -> None:
        task.state = "running"
        if task.script.seconds is not None:
            heapq.heappush(self._due, (moment + task.script.seconds, self._next(), task, False))

    def _ended(self, task: HeldTask, state: str, moment: float) -> None:
        task.state, task.ended = state, moment
        if task.script.forget_after is not None:
            heapq.heappush(self._due, (moment + task.script.forget_after, self._next(), task, True))

    def _forget(self, task: HeldTask) -> None:
        task.forgotten = self._forgot = True
        self._known.pop(task.external_id, None)

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _note(self, what: str, moment: float, task: HeldTask | None = None, **more: Any) -> None:
        at = (self._clock_zero + timedelta(seconds=moment)).isoformat()[:-6] + "Z"
        about = {name: getattr(task, name, None) for name in ("token", "operation")}
        self._facts.append({"at": at, "what": what, "task": task and task.external_id} | about | more)

    def _flush(self) -> None:
        if self._facts:
            self._journal.write(self._facts)
            self._facts = []

    def _restore(self, facts: list[dict[str, Any]]) -> None:
        """Take over what an earlier process left: what it began goes on, what it only accepted begins."""
        everyone: dict[str, HeldTask] = {}
        for fact in facts:
            self._recall(fact, everyone)
        moment = self.settle()
        for task in everyone.values():
            if task.state == "queued":
                self._begin(task, moment)
        self._settle(moment)

    def _recall(self, fact: dict[str, Any], everyone: dict[str, HeldTask]) -> None:
        what, name = fact["what"], fact["task"]
        moment = min(monotonic(), (datetime.fromisoformat(fact["at"]) - self._clock_zero).total_seconds())
        if what == "fenced":
            self._fenced.add(fact["token"])
        elif what == "accepted":
            everyone[name] = HeldTask(name, fact["token"], fact["operation"], read_script(fact["script"]))
            self._hold(everyone[name])
        elif what == "started":
            self._run(everyone[name], moment)
        elif what == "forgotten":
            self._forget(everyone[name])
        else:
            self._ended(everyone[name], what, moment)
