"""Each command whose connection is cut, wherever that is, and that cannot be asked for: said again, it is there once.

That is so where the database is away for a while after the cut, since nobody can find out then what became of it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from ledger import clock
from ledger.application import Ledger
from ledger.domain.commands import Transition, parse_transition
from ledger.domain.receipt import Receipt
from ledger.errors import LedgerError, OutcomeUnknown, Unavailable
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.integrity.wounds import owner_of, unguarded
from tests.store.controls import rows
from tests.store.proxy import Proxy

CUTS_MAX = 200
Say = Callable[[Ledger], Any]
called: list[str] = []


def _dispatch(ledger: Ledger) -> Receipt:
    def call(token: str) -> str:
        called.append(token)
        return "task-1"

    return ledger.dispatch("begun", call, executor="agent")


COMMANDS: dict[str, tuple[Say, list[str]]] = {
    "plan without an id": (lambda ledger: ledger.plan("T"), ["job.planned.v1"]),
    "a tree": (
        lambda ledger: ledger.plan("T", children=[{"type": "C"}, {"type": "C"}]),
        ["job.planned.v1", "job.planned.v1", "job.planned.v1"],
    ),
    "progress": (lambda ledger: ledger.progress("running", done=7), ["job.progressed.v1"]),
    "a batch": (
        lambda ledger: ledger.record_each([_progress(1), _progress(2)]),
        ["job.progressed.v1", "job.progressed.v1"],
    ),
    "dispatch": (_dispatch, ["job.submitted.v1", "job.accepted.v1"]),
    "start_owner": (lambda ledger: ledger.start_owner("engine"), ["owner.started.v1"]),
    "fence": (lambda ledger: ledger.fence("other"), ["owner.fenced.v1"]),
    "cancel": (
        lambda ledger: ledger.cancel("parent"),
        ["job.cancel_requested.v1", "job.cancel_requested.v1"],
    ),
    "hold": (lambda ledger: ledger.hold("running"), ["job.hold_placed.v1"]),
    "succeed": (lambda ledger: ledger.succeed("running", {"bytes": 7}), ["job.succeeded.v1"]),
}


def _progress(done: int) -> Transition:
    return parse_transition({"job": "running", "event": "progressed", "done": done}, clock.new_id)


def _begin(conninfo: str) -> None:
    with assemble(conninfo) as ledger:
        ledger.plan("T", job="begun")
        ledger.plan("T", job="running")
        ledger.start("running", executor="agent", external_id="task-0")
        ledger.plan("T", job="parent", children=[{"job": "parent/1", "type": "C"}])
        ledger.start_owner("other").close()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_cut_anywhere_is_recorded_once(conninfo: str, superuser: str, command: str) -> None:
    """With as many answers as the command has; an executor is called once, whatever is said how often."""
    say, topics = COMMANDS[command]
    _begin(conninfo)
    with psycopg.connect(superuser, autocommit=True) as admin:
        before = len(rows(admin))
        unknown = 0
        for cut in range(1, CUTS_MAX):
            called.clear()
            with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
                ledger.job("begun")
                ledger.hold("parent")  # so that every connection is there
                before = len(rows(admin))
                proxy.chunks, proxy.cut_at, proxy.away_once_cut = 0, cut, True
                answer, again = _until_known(proxy, partial(say, ledger))
                uncut = proxy.chunks < cut
                unknown += again
                proxy.cut_at = None
                found = [row["topic"] for row in rows(admin)][before:]
                if isinstance(answer, Ledger):
                    answer.close()
            assert found == topics, (cut, answer)
            assert not isinstance(answer, LedgerError)
            assert len(called) == (command == "dispatch"), cut
            if uncut:
                break
            _undo(superuser, before)
        else:
            pytest.fail("no command was uncut")
        assert unknown >= len(topics) > 0 or command == "start_owner"


def _until_known(proxy: Proxy, say: Callable[[], Any]) -> tuple[Any, int]:
    """What the command gives in the end, and how often it was not known; what was not recorded is said anew."""
    for times in range(20):
        try:
            return say(), times
        except OutcomeUnknown as error:
            say = error.again
        except Unavailable:
            pass
        proxy.cut_at, proxy.reachable = None, True
    pytest.fail("it stays unknown")


def _undo(superuser: str, events: int) -> None:
    """Take the ledger and its views back to what they were, for the next cut."""
    with owner_of(superuser) as owner:
        unguarded(owner, f"DELETE FROM ledger.stored_events WHERE notification_id > {events}")
        owner.execute("UPDATE projections.tracking SET version = 0")
    with connect(superuser) as session:
        rebuild.rebuild(session)


def test_what_is_no_longer_known_here_stays_unknown() -> None:
    with pytest.raises(OutcomeUnknown, match="lost"):
        OutcomeUnknown("The answer was lost.").again()
