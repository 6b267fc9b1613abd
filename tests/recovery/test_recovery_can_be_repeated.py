import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ledger.application import Ledger
from ledger.executors.protocol import Listing, Task
from ledger.executors.taskfile import ListedExecutor
from ledger.recovery.proposal import RecoveryPlan, Scope
from ledger.recovery.reconcile import Recovery
from ledger.service.assembly import assemble
from tests.recovery.given import listed, outcomes, remove_vm, running, task

JOBS = 40


def _left(ledger: Ledger) -> None:
    for n in range(JOBS):
        running(ledger, f"a{n}")
    remove_vm(ledger)


def _events(ledger: Ledger) -> list[str]:
    return [entry.event.name for entry in ledger.events()]


def test_two_at_once_write_each_verdict_once(conninfo: str, ledger: Ledger) -> None:
    _left(ledger)
    ended = listed(
        *(task(f"task-a{n}", "succeeded" if n % 2 else "running") for n in range(JOBS)), task("stray", "queued")
    )
    gate = threading.Barrier(4)

    def recover(_: int) -> RecoveryPlan:
        with assemble(conninfo) as own:
            gate.wait(timeout=30)
            return Recovery(own, [ended]).apply(Scope(adopt=True))

    with ThreadPoolExecutor(4) as pool:
        plans = list(pool.map(recover, range(4)))

    events = _events(ledger)
    assert not any(plan.errors for plan in plans)
    assert events.count("succeeded") == JOBS // 2
    assert (events.count("abandoned"), events.count("lost"), events.count("failed")) == (0, 5, 0)
    assert "late" not in events
    assert sum(plan.written for plan in plans) == JOBS // 2 + 5 + 2
    assert not Recovery(ledger, [ended]).plan().work


def test_what_was_written_is_not_written_again(ledger: Ledger) -> None:
    _left(ledger)
    Recovery(ledger).apply()
    before = ledger.position()

    assert Recovery(ledger).apply().written == 0
    assert ledger.position() == before
    assert outcomes(ledger, ["a0", "rm/d1", "rm/d3", "rm"]) == ["unknown", "unknown", "abandoned", "failed"]


class Interrupted(ListedExecutor):
    """An executor that is asked after the look at the ledger, and before the append; meanwhile, something happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(Listing("agent"))
        self._meanwhile = meanwhile

    def ask(self, external_id: str | None, token: str | None) -> Task | None:
        self._meanwhile()
        return task(external_id, "failed")


def test_a_job_that_another_owner_took_since_the_look_is_left_alone(ledger: Ledger) -> None:
    running(ledger, "a")
    with ledger.start_owner("new") as own:
        done = Recovery(ledger, [Interrupted(lambda: own.record({"job": "a", "event": "adopted"}))]).apply()

    assert (done.written, done.errors) == (0, {})
    assert (ledger.job("a").phase, ledger.job("a").owner) == ("running", "new")


def test_a_job_that_went_on_since_the_look_is_judged_anew(ledger: Ledger) -> None:
    running(ledger, "a")
    reports = iter(["half", "more"])

    def report() -> None:
        if message := next(reports, None):
            ledger.progress("a", message=message)

    done = Recovery(ledger, [Interrupted(report)]).apply()

    assert (done.written, done.errors) == (1, {})
    assert [entry.event.name for entry in ledger.history("a")][2:] == ["progressed", "progressed", "failed"]


def test_what_is_too_long_for_the_ledger_holds_nobody_up(ledger: Ledger) -> None:
    running(ledger, "a")
    running(ledger, "b")
    endless = task("task-a", "failed", raw="x" * 60_000, error={"message": "y" * 60_000})
    shortened = endless.model_copy(update={"result": "z" * 65_600})

    done = Recovery(ledger, [listed(shortened, task("task-b", "succeeded"))]).apply()

    assert (list(done.errors), outcomes(ledger, ["a", "b"])) == (["a"], [None, "succeeded"])
    assert done.work
    assert Recovery(ledger, [listed(endless)]).apply().errors == {}
