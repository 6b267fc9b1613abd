"""How soon after an outage the first question and the first append succeed, and who waits is answered."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.application import Ledger
from ledger.clock import new_id
from ledger.errors import DatabaseAway, OutcomeUnknown
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.embedded.lock import until
from ledger.service.readiness import migrator
from tests.benchmarks.bench import Bench, Findings, writer
from tests.benchmarks.measure import Sample, interleave, spreads

AWAY_SECONDS = (0.0, 5.0)  # for which the server stays away
STOP_SECONDS_MAX = 10.0
PAUSE_SECONDS = 0.005  # of a caller that was told that the database is away


def measure(bench: Bench) -> Findings:
    """Each outage in turn, on a server of its own, whose postmaster is stopped at once and started again."""
    with tempfile.TemporaryDirectory(prefix="jobledger-outages-") as folder:
        server = EmbeddedServer(Path(folder))
        server.start()
        try:
            migrator().migrate(server.conninfo())
            with assemble(writer(server.conninfo())) as ledger:
                sides = {f"{seconds:g} s": _outage(server, ledger, seconds) for seconds in AWAY_SECONDS}
                shown = interleave(sides, bench.budget(5, 90))
        finally:
            server.stop()
    return Findings(
        ratios={},
        figures=spreads(shown),
        notes=(
            "seconds after the server takes connections again; one thread asks busy, one plans, one waits for a job",
            "that is closed then; who is told that the database is away asks again after 5 ms",
        ),
    )


def _outage(server: EmbeddedServer, ledger: Ledger, seconds: float) -> Callable[[], Sample]:
    def run() -> Sample:
        awaited = new_id()
        ledger.plan("T", job=awaited, entities=[{"type": "vm", "id": awaited}])
        with (
            _answered(lambda: ledger.busy(f"vm/{awaited}")) as question,
            _answered(lambda: ledger.plan("T", job=new_id())) as append,
            _answered(lambda: ledger.wait(awaited, 60)) as wait,
        ):
            _stop_at_once(server)
            time.sleep(seconds)
            server.start()
            back_at = time.monotonic()
            found = {"question": question(back_at), "append": append(back_at)}
            ledger.succeed(awaited)
            return found | {"wait": wait(time.monotonic())}

    return run


@contextmanager
def _answered(ask: Callable[[], object]) -> Iterator[Callable[[float], float]]:
    """Asks on and on in a thread; gives how many seconds after a moment the next answer came."""
    over = threading.Event()
    answered_at: list[float] = []

    def run() -> None:
        while not over.is_set():
            try:
                ask()
                answered_at.append(time.monotonic())
            except (DatabaseAway, OutcomeUnknown):
                over.wait(PAUSE_SECONDS)

    def after(moment: float) -> float:
        while not (answered_at and answered_at[-1] > moment):
            time.sleep(PAUSE_SECONDS / 5)
        return next(each for each in answered_at if each > moment) - moment

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield after
    finally:
        over.set()
        thread.join()


def _stop_at_once(server: EmbeddedServer) -> None:
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    assert until(lambda: not Path(f"/proc/{pid}").exists(), STOP_SECONDS_MAX)
