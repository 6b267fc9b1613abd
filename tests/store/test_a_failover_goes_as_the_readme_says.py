"""A DSN with all hosts, and a standby that somebody promotes once the primary is gone."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.domain.cursor import Cursor
from ledger.errors import PositionAhead, Unavailable
from ledger.service.assembly import open_ledger
from ledger.service.embedded.folder import PORT, socket_folder
from tests.store.standby import Pair, Saying, poll, running

TELLS = 20


def _all_hosts(pair: Pair, folder: Path) -> str:
    hosts = [str(socket_folder(folder / name)) for name in ("primary", "standby")]
    told = {"host": ",".join(hosts), "port": f"{PORT},{PORT}", "target_session_attrs": "read-write"}
    return make_conninfo(pair.conninfo, **told)


def _tell_on_and_on(ledger: Ledger, told: list[str], over: Callable[[], bool]) -> int:
    """Plan job after job until it is over, each until it is acknowledged; how many."""
    for number in count():
        if over():
            return number
        job = f"j{number}"
        while True:
            try:
                ledger.plan("T", job=job)
            except Unavailable:
                continue
            told.append(job)
            break
    raise AssertionError


def test_with_a_synchronous_standby_nothing_is_lost(tmp_path: Path) -> None:
    """Who appends meanwhile hears that the database is away, says it again, and goes on where the standby is."""
    told: list[str] = []
    with running(tmp_path) as pair, open_ledger(_all_hosts(pair, tmp_path)) as ledger:
        after: list[int] = []
        saying = Saying(lambda: _tell_on_and_on(ledger, told, lambda: bool(after) and len(told) > after[0] + TELLS))
        poll(lambda: len(told) > TELLS)
        pair.fail_over()
        after.append(len(told))
        saying.answer()
        kept = {entry.event.job for entry in ledger.events()}
        assert {*told} <= kept
        assert len(kept) == ledger.position()


def test_with_an_asynchronous_one_it_is_as_after_a_backup(tmp_path: Path) -> None:
    with running(tmp_path, "") as pair, open_ledger(_all_hosts(pair, tmp_path)) as ledger:
        ledger.plan("T", job="kept")
        poll(lambda: pair.ask("SELECT 1 FROM ledger.stored_events", standby=True))
        pair.stop_receiver()
        lost = ledger.plan("T", job="lost")
        pair.fail_over()

        with pytest.raises(PositionAhead):
            ledger.plan("T", job="another")
        with open_ledger(_all_hosts(pair, tmp_path)) as fresh:
            assert fresh.plan("T", job="another").position == 2
            with pytest.raises(PositionAhead):
                next(fresh.watch(lost.position))
        loss = ledger.lost()
        assert [receipt.job for receipt in loss.receipts] == ["lost"]
        assert isinstance(loss.known, Cursor)
        ledger.accept_loss(reason="the primary is gone")
        assert str(ledger.plan("T", job="lost").disposition) == "recorded"
