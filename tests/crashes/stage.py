"""One flow, played with crashes: an engine dies somewhere, another life of it recovers and goes on; all must hold."""

import json
import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ledger.application import Ledger
from ledger.asking.answers import JobFilter, JobView
from ledger.demo.engine import FLOWS, Engine, Flow
from ledger.demo.fake.executor import FakeExecutor
from ledger.demo.fake.journal import read_journal
from ledger.errors import ExecutorUnreachable, JobNotFound
from ledger.records.transcript import transcribe_event
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble
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
                self.start(with_parent=False)  # who starts it may be the next to be killed
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


@dataclass(frozen=True)
class Play:
    """One flow to be played: its kind and size, the name of this run, and the seed of what its tasks do."""

    kind: str
    parts: int
    run: str
    seed: str

    @property
    def flow(self) -> Flow:
        return FLOWS[self.kind](self.run, self.parts)


def live(ledger: Ledger, play: Play, executor: FakeExecutor, *, first: bool) -> Counter[str]:
    """One life of the engine: the first begins the flow, every other recovers what the last left, and goes on.

    The verdicts of recovery are counted.
    """
    with ledger.start_owner(f"engine-{play.run}", lease_seconds=600) as own:
        engine = Engine(own, executor, scripts=scripts(play.seed, play.flow))
        if first:
            engine.run(play.flow, play.run)
            return Counter()
        done = Recovery(own, [executor]).apply()
        with suppress(JobNotFound):
            engine.settle(play.flow, play.run)
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
        play = self._begin(kind, parts, seed)
        before = self._ledger.position()
        for life in range(LIVES_MAX):
            with crash(life) as boundaries:
                ended = self._live([play], boundaries, first=life == 0)
            self.boundaries += boundaries.count
            if ended:
                break
        self.runs += 1
        return self._judge(play, before)

    def play_together(self, kinds: Sequence[tuple[str, int]], seed: str, at: int) -> list[str]:
        """Play several flows in threads of one process, which is killed at a boundary; then recover each."""
        plays = [self._begin(kind, parts, f"{seed}/{n}") for n, (kind, parts) in enumerate(kinds)]
        before = self._ledger.position()
        self._live(plays, Boundaries(at, inside=True, real=True), first=True)
        for play in plays:
            self._live([play], Boundaries(None), first=False)
            self.runs += 1
        return [wrong for play in plays for wrong in self._judge(play, before)]

    def _begin(self, kind: str, parts: int, seed: str) -> Play:
        self._start_executor()
        return Play(kind, parts, f"{kind}-{uuid.uuid4().hex[:12]}", seed)

    def _live(self, plays: Sequence[Play], boundaries: Boundaries, *, first: bool) -> bool:
        """Whether the lives of engines in one process came to their end."""
        if boundaries.real:
            said = {"conninfo": self.conninfo, "books": str(self._books), "at": boundaries.at, "first": first}
            told = json.dumps(said | {"plays": [asdict(play) for play in plays]})
            process = subprocess.run((sys.executable, "-m", "tests.crashes.victim", told), check=False)
            assert process.returncode in (0, -signal.SIGKILL)
            return process.returncode == 0
        try:
            with assemble(self.conninfo) as ledger:
                for play in plays:
                    self.recovered += live(ledger, play, self._executor, first=first)
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

    def _judge(self, play: Play, before: int) -> list[str]:
        flow, job = play.flow, play.run
        self._resolve(flow, job)
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

    def _resolve(self, flow: Flow, job: str) -> None:
        """What nobody could say is looked up by a person, in the executor's own books."""
        ledger, true = self._ledger, self._truth(job)
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
