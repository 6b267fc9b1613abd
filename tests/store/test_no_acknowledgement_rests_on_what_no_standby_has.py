import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from psycopg.conninfo import make_conninfo

from ledger.appending.recorder import Recorder
from ledger.application import Ledger
from ledger.domain.commands import parse_transition
from ledger.errors import OutcomeUnknown, UnsafeSettings
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.service.assembly import assemble, open_ledger
from ledger.store.connection import connect
from ledger.store.seals import SealTable
from tests.store.proxy import Proxy
from tests.store.standby import Pair, Saying, poll, running

RECORDED = "SELECT 1 FROM ledger.stored_events WHERE originator_id = %s"
Say = Callable[[Ledger, str], str]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A primary that waits for its standby."""
    with running(Path(tmp_path_factory.mktemp("pair"))) as made:
        yield made


@pytest.fixture
def job() -> str:
    return uuid.uuid4().hex


def _plan(ledger: Ledger, job: str) -> str:
    return str(ledger.plan("T", job=job).disposition)


def _import(ledger: Ledger, job: str) -> str:
    line = f'{{"job": "{job}", "event": "planned", "type": "T", "at": "2026-01-01T00:00:00Z"}}'
    return "recorded" if ledger.import_records([line.encode()]).recorded else "unchanged"


def _batch(ledger: Ledger, job: str) -> str:
    said = parse_transition({"job": job, "event": "planned", "type": "T"}, lambda: str(uuid.uuid4()))
    (answer,) = ledger.record_each([said])
    assert not isinstance(answer, Exception)
    return str(answer.disposition)


def _stop(*_: object) -> NoReturn:
    raise RuntimeError


def _leave_unconfirmed(pair: Pair, job: str, say: Say = _plan) -> None:
    """Put a job on record on the primary alone: its wait for the standby, which must be deaf, is cancelled."""
    with assemble(pair.conninfo) as ledger:
        saying = Saying(lambda: say(ledger, job))
        pair.cancel(pair.waiting())
        with pytest.raises(OutcomeUnknown):
            saying.answer()
    assert pair.ask(RECORDED, f"job:{job}")


@pytest.mark.parametrize("say", [_plan, _batch, _import])
def test_a_repetition_waits_for_the_standby(pair: Pair, job: str, say: Say) -> None:
    with pair.deaf():
        _leave_unconfirmed(pair, job, say)
        with assemble(pair.conninfo) as ledger:
            saying = Saying(lambda: say(ledger, job))
            pair.waiting()
            assert not saying.answered
            pair.hear()
            assert saying.answer() == "unchanged"


def test_a_repetition_whose_wait_is_cancelled_is_unknown(pair: Pair, job: str) -> None:
    with pair.deaf(), assemble(pair.conninfo) as ledger:
        _leave_unconfirmed(pair, job)
        for _ in range(2):
            saying = Saying(lambda: _plan(ledger, job))
            pair.cancel(pair.waiting())
            with pytest.raises(OutcomeUnknown, match="cancelled"):
                saying.answer()


@pytest.mark.parametrize("unconfirmed", [False, True], ids=["append", "repetition"])
def test_a_wait_that_is_terminated_begins_again(pair: Pair, job: str, *, unconfirmed: bool) -> None:
    """What the look-up finds, or finds told before, was found on the primary."""
    with pair.deaf(), assemble(pair.conninfo) as ledger:
        if unconfirmed:
            _leave_unconfirmed(pair, job)
        saying = Saying(lambda: _plan(ledger, job))
        waiting = pair.waiting()
        pair.terminate(waiting)
        pair.waiting(besides=waiting)
        assert not saying.answered
        pair.hear()
        assert saying.answer() == ("unchanged" if unconfirmed else "recorded")


@pytest.mark.parametrize("unconfirmed", [False, True], ids=["append", "repetition"])
@pytest.mark.parametrize("way", ["cancel", "terminate"])
def test_a_wait_that_is_cut_twice_is_unknown(pair: Pair, job: str, way: str, *, unconfirmed: bool) -> None:
    with pair.deaf(), assemble(pair.conninfo) as ledger:
        if unconfirmed:
            _leave_unconfirmed(pair, job)
        saying = Saying(lambda: _plan(ledger, job))
        waiting = pair.waiting()
        pair.terminate(waiting)
        getattr(pair, way)(pair.waiting(besides=waiting))
        with pytest.raises(OutcomeUnknown):
            saying.answer()


@pytest.mark.parametrize("unconfirmed", [False, True], ids=["append", "repetition"])
def test_a_wait_whose_connection_is_cut_begins_again_or_is_unknown(pair: Pair, job: str, *, unconfirmed: bool) -> None:
    with pair.deaf(), Proxy(pair.conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        if unconfirmed:
            _leave_unconfirmed(pair, job)
        saying = Saying(lambda: _plan(ledger, job))
        pair.waiting()
        proxy.reachable = False
        proxy.hang_up()
        with pytest.raises(OutcomeUnknown):
            saying.answer()
        proxy.reachable = True
        again = Saying(lambda: _plan(ledger, job))
        pair.hear()
        assert again.answer() == "unchanged"


def test_a_client_that_is_killed_in_its_wait_leaves_nothing_to_believe(pair: Pair, job: str) -> None:
    record = f'{{"job": "{job}", "event": "planned", "type": "T"}}'
    command = [sys.executable, "-c", "from ledger.service.cli import main; main()", "record", record]
    environment = {**os.environ, "JOBLEDGER_DSN": pair.conninfo}
    with pair.deaf():
        client = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        waiting = pair.waiting()
        client.kill()
        client.communicate()
        pair.cancel(waiting)
        poll(lambda: pair.ask(RECORDED, f"job:{job}"))
        again = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        pair.waiting()
        assert again.poll() is None
        pair.hear()
        assert b"unchanged" in again.communicate()[0]


def test_a_warning_that_is_silenced_is_heard(pair: Pair, job: str) -> None:
    """It is the only sign that a wait was cancelled."""
    pair.ask("ALTER DATABASE jobledger SET client_min_messages = error")
    try:
        with pair.deaf():
            _leave_unconfirmed(pair, job)
            with assemble(pair.conninfo) as ledger:
                saying = Saying(lambda: _plan(ledger, job))
                pair.cancel(pair.waiting())
                with pytest.raises(OutcomeUnknown):
                    saying.answer()
    finally:
        pair.ask("ALTER DATABASE jobledger RESET client_min_messages")


def test_what_the_standby_is_known_to_have_is_answered_at_once(pair: Pair, job: str) -> None:
    with assemble(pair.conninfo) as ledger:
        assert _plan(ledger, job) == "recorded"
        with assemble(pair.conninfo) as other, pair.deaf():
            assert _plan(ledger, job) == "unchanged"
            assert ledger.job(job).phase == "planned"
            saying = Saying(lambda: _plan(other, job))
            pair.waiting()
            pair.hear()
            assert saying.answer() == "unchanged"
        with assemble(pair.conninfo) as later, pair.deaf():
            saying = Saying(lambda: _plan(later, job))
            pair.waiting()
            pair.hear()
            assert saying.answer() == "unchanged"


def test_what_was_said_of_a_tree_waits_for_what_was_said_of_each_job_below(
    pair: Pair, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the word about its root is long confirmed."""
    below = [{"job": f"{job}/{n}", "event": "planned", "type": "T", "parent": job} for n in range(252)]
    with assemble(pair.conninfo) as ledger, assemble(pair.conninfo) as other:
        _plan(ledger, job)
        ledger.record_each([parse_transition(said, lambda: str(uuid.uuid4())) for said in below])
        with monkeypatch.context() as patched:
            patched.setattr(Recorder, "_finish", _stop)
            with pytest.raises(RuntimeError):
                ledger.cancel(job)
        left = [view.job for view in ledger.tree(job) if "cancel_requested" not in view.flags]
        with pair.deaf():
            for each in left:
                saying = Saying(partial(other.cancel, each))
                pair.cancel(pair.waiting())
                with pytest.raises(OutcomeUnknown):
                    saying.answer()
            again = Saying(lambda: ledger.cancel(job))
            pair.waiting()
            pair.hear()
            assert str(again.answer().disposition) == "unchanged"


def test_questions_wait_for_nobody(pair: Pair, job: str) -> None:
    with pair.deaf():
        _leave_unconfirmed(pair, job)
        with assemble(pair.conninfo) as ledger:
            assert ledger.job(job).job == job
            assert [found.entry.event.job for found in ledger.search(f"job:{job}").entries()] == [job]
            assert pair.nobody_waits()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    """The one key that the ledger is sealed with."""
    return KeyFile(tmp_path_factory.mktemp("key") / "key")


def test_a_seal_waits_for_the_standby_and_so_does_its_repetition(pair: Pair, job: str, file: KeyFile) -> None:
    sealer = Sealer(SealTable(lambda: connect(pair.conninfo)), file)
    with assemble(pair.conninfo) as ledger:
        ledger.plan("T", job=job)
    with pair.deaf():
        kept = file.kept() if file.exists() else None
        for way in ("cancel", "terminate", "cancel"):  # the first seals, the others find what is sealed
            saying = Saying(sealer.seal)
            getattr(pair, way)(pair.waiting())
            with pytest.raises(OutcomeUnknown):
                saying.answer()
            assert file.kept() == kept
        saying = Saying(sealer.seal)
        pair.waiting()
        pair.hear()
        done = saying.answer()
    assert done.events == 0
    assert file.kept() == done.signed


def test_a_sealer_that_follows_goes_on_and_tells_what_the_standby_has(pair: Pair, job: str, file: KeyFile) -> None:
    sealer = Sealer(SealTable(lambda: connect(pair.conninfo)), file)
    sealer.seal()
    with assemble(pair.conninfo) as ledger:
        position = ledger.plan("T", job=job).position
    with pair.deaf():
        saying = Saying(lambda: next(sealer.follow(0.1)))
        waiting = pair.waiting()
        pair.cancel(waiting)
        pair.waiting(besides=waiting)
        pair.hear()
        assert saying.answer().signed.size == position


def test_nothing_is_sent_where_no_standby_is_waited_for(conninfo: str) -> None:
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        proxy.cut_on = b"pg_logical_emit_message"
        assert _plan(ledger, "a") == "recorded"
        assert _plan(ledger, "a") == "unchanged"


def test_a_session_that_does_not_wait_is_refused(pair: Pair, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    local = make_conninfo(pair.conninfo, options="-c synchronous_commit=local")
    with assemble(local) as ledger, pytest.raises(UnsafeSettings, match="synchronous_commit = local"):
        _plan(ledger, job)
    assert not pair.ask(RECORDED, f"job:{job}")
    with pytest.raises(UnsafeSettings, match="synchronous_commit = local"):
        open_ledger(local)
    monkeypatch.setenv("JOBLEDGER_ALLOW_UNSAFE", "synchronous_commit")
    with assemble(local) as ledger, pair.deaf():
        assert [_plan(ledger, job), _plan(ledger, job)] == ["recorded", "unchanged"]
