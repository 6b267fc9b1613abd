"""One flow, played with crashes: an engine dies somewhere, another life of it recovers and goes on; all must hold."""

import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.answers import JobFilter, JobView
from ledger.application import Ledger
from ledger.errors import ExecutorUnreachable, JobNotFound
from ledger.recovery.example import FLOWS, Engine, Flow
from ledger.recovery.fake.executor import FakeExecutor
from ledger.recovery.fake.journal import read_journal
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble
from ledger.service.transcript import transcribe_event
from tests.crashes.boundaries import Boundaries, Crash
from tests.crashes.model import truth, wrongs

LIVES_MAX = 12
RUNS_AN_EXECUTOR = 25


class Watched(FakeExecutor):
    """The fake executor with somebody beside it who starts it again when it has died."""

    def _request(self, verb: str, **said: Any) -> Any:
        try:
            return super()._request(verb, **said)
        except ExecutorUnreachable:
            if verb != "stop":
                self.start()
            raise


def scripts(seed: str, flow: Flow) -> Mapping[str, Mapping[str, Any]]:
    """What each child's task does, by chance."""
    chance = random.Random(seed)
    kinds: list[dict[str, Any]] = [
        {}, {}, {}, {"ends": "failed", "error": "no space"}, {"seconds": 0.1}, {"drops": "answer"},
        {"twice": True, "percent": 50}, {"forget_after": 0.0}, {"dies": "before_answer"},
    ]  # fmt: skip
    weights = [4, 4, 4, 2, 2, 2, 1, 1, 0.4]
    return {str(part.entity["id"]): chance.choices(kinds, weights)[0] for part in flow.parts}


def live(
    conninfo: str, kind: str, parts: int, run: str, seed: str, *, executor: FakeExecutor, first: bool
) -> Counter[str]:
    """One life of the engine: the first begins the flow, every other recovers what the last left, and goes on.

    The verdicts of recovery are counted.
    """
    flow = FLOWS[kind](run, parts)
    with assemble(conninfo) as ledger, ledger.start_owner(f"engine-{run}", lease_seconds=600) as own:
        engine = Engine(own, executor, scripts=scripts(seed, flow))
        if first:
            engine.run(flow, run)
            return Counter()
        done = Recovery(own, [executor]).apply()
        with suppress(JobNotFound):
            engine.settle(flow, run)
        return Counter(verdict.word for verdict in done.verdicts)


@dataclass
class Stage:
    """Where flows are played: a ledger, and a fake executor with its journal."""

    conninfo: str
    folder: Path
    boundaries: int = 0
    runs: int = 0
    recovered: Counter[str] = field(default_factory=Counter)
    _books: Path = field(init=False)
    _executor: Watched = field(init=False)
    _ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self._books = self.folder / "0"
        self._executor = Watched(self._books)
        self._ledger = assemble(self.conninfo)

    def play(self, kind: str, parts: int, seed: str, crash: Callable[[int], Boundaries]) -> list[str]:
        """Play one flow from the plan to the end; `crash` says for each life of the engine what befalls it.

        What is wrong in the end is returned.
        """
        run = f"{kind}-{uuid.uuid4().hex[:12]}"
        flow = FLOWS[kind](run, parts)
        self._start_executor()
        before = self._ledger.position()
        for life in range(LIVES_MAX):
            with crash(life) as boundaries:
                ended = self._live(kind, parts, run, seed, boundaries, first=life == 0)
            self.boundaries += boundaries.count
            if ended:
                break
        self.runs += 1
        return self._judge(flow, run, before)

    def _live(self, kind: str, parts: int, run: str, seed: str, boundaries: Boundaries, *, first: bool) -> bool:
        """Whether a life of the engine came to its end."""
        if boundaries.real:
            words = (self.conninfo, kind, parts, run, seed, self._books, boundaries.at, int(first))
            process = subprocess.run((sys.executable, "-m", "tests.crashes.victim", *map(str, words)), check=False)
            assert process.returncode in (0, -signal.SIGKILL)
            return process.returncode == 0
        try:
            self.recovered += live(self.conninfo, kind, parts, run, seed, executor=self._executor, first=first)
        except Crash:
            return False
        return True

    def _start_executor(self) -> None:
        """Start the executor, a fresh one every so often, so that its listing stays short."""
        books = self.folder / str(self.runs // RUNS_AN_EXECUTOR)
        if books != self._books:
            self._executor.stop()
            self._books, self._executor = books, Watched(books)
        self._executor.start()

    def close(self) -> None:
        """Stop the executor, and give the connections back."""
        self._executor.stop()
        self._ledger.close()

    def _judge(self, flow: Flow, job: str, before: int) -> list[str]:
        self._resolve(self._ledger, flow, job)
        entities = [f"{it['type']}/{it['id']}" for it in (flow.entity, *(part.entity for part in flow.parts))]
        found = [f"{answer.entity} is busy in the end" for answer in self._ledger.busy_all(entities) if answer.busy]
        records = [
            transcribe_event(entry.event) | {"position": entry.position, "version": entry.event.version}
            for entry in self._ledger.events(before)
            if entry.event.job == job or entry.event.job.startswith(f"{job}/")
        ]
        return found + wrongs(records, self._truth(job), ends=flow.end is not None)

    def _truth(self, job: str) -> Mapping[str, str | None]:
        """What the executor did for this flow: entities and end actions bear its name."""
        facts = read_journal(self._books)
        own = {fact["task"] for fact in facts if str((fact.get("params") or {}).get("id", "")).startswith(job)}
        return truth(fact for fact in facts if fact.get("task") in own)

    def _resolve(self, ledger: Ledger, flow: Flow, job: str) -> None:
        """What nobody could say is looked up by a person, in the executor's own books."""
        true = self._truth(job)
        unknown = [view for view in ledger.jobs(JobFilter(root=job, active=True)) if view.outcome == "unknown"]
        for view in unknown:
            if view.parent is not None:
                outcome = true.get(view.token or "") or "abandoned"
                ledger.resolve(view.job, outcome, "the executor's books", actor="operator")
        if unknown and ledger.job(job).outcome == "unknown":
            children = [view for view in ledger.tree(job)[1:] if view.retry_of is None]
            done = all(view.ok or self._retried(ledger, view) for view in children)
            ended = flow.end is None or true.get(f"{job}/end") == "succeeded"
            ledger.resolve(job, "succeeded" if done and ended else "failed", "the executor's books", actor="operator")

    @staticmethod
    def _retried(ledger: Ledger, child: JobView) -> bool:
        return any(view.ok and view.retry_of == child.job for view in ledger.jobs(JobFilter(parent=child.parent)))
