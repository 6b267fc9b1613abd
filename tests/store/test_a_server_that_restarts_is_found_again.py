import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.errors import DatabaseAway, OutcomeUnknown
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator
from tests.recovery.facts import until


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of this test, with an empty ledger."""
    server = EmbeddedServer(tmp_path)
    server.start()
    try:
        migrator().migrate(server.conninfo())
        yield server
    finally:
        server.stop()


@pytest.fixture
def opened(own: EmbeddedServer) -> Iterator[Ledger]:
    with assemble(make_conninfo(own.conninfo(), options=WRITER)) as ledger:
        ledger.plan("T", job="a", entities=[{"type": "vm", "id": "v"}])
        yield ledger


def test_a_server_that_restarts_is_found_again(own: EmbeddedServer, opened: Ledger) -> None:
    own.stop()
    own.start()

    assert opened.start("a").position == 2
    own.stop()
    own.start()
    assert opened.busy("vm/v").busy


def test_questions_come_back_as_appends_do(own: EmbeddedServer, opened: Ledger) -> None:
    """However often they were asked in vain: each that is asked once the server is there is answered."""
    asking = [Asking(lambda: opened.busy("vm/v")) for _ in range(4)]
    asking += [Asking(lambda: opened.plan("T"))]
    pid = own.status().pid
    assert pid is not None
    try:
        os.kill(pid, signal.SIGQUIT)
        until(lambda: not Path(f"/proc/{pid}").exists())
        until(lambda: min(each.refused for each in asking) > 20)
        own.start()
        refused = [each.refused for each in asking]
        answered = [each.answered for each in asking]
        until(lambda: all(each.answered > before for each, before in zip(asking, answered, strict=True)))
    finally:
        for each in asking:
            each.end()
    assert all(each.refused <= before + 1 for each, before in zip(asking, refused, strict=True))  # that it was in


class Asking:
    """One who asks on and on, and counts what came of it."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._over = threading.Event()
        self.refused = self.answered = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.002):
            try:
                self._ask()
                self.answered += 1
            except (DatabaseAway, OutcomeUnknown):
                self.refused += 1

    def end(self) -> None:
        """Ask no more."""
        self._over.set()
        self._thread.join()
