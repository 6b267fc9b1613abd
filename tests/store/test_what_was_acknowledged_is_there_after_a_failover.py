from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import LedgerError
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from ledger.store.seals import SealTable
from tests.store.proxy import Proxy
from tests.store.standby import Pair, Saying, running

RECORDED = "SELECT originator_id FROM ledger.stored_events"


def _cancelled(pair: Pair, _: Proxy, waiting: int) -> None:
    pair.cancel(waiting)


def _terminated_twice(pair: Pair, _: Proxy, waiting: int) -> None:
    pair.terminate(waiting)
    pair.terminate(pair.waiting(besides=waiting))


def _terminated_and_cancelled(pair: Pair, _: Proxy, waiting: int) -> None:
    pair.terminate(waiting)
    pair.cancel(pair.waiting(besides=waiting))


def _lost(pair: Pair, proxy: Proxy, waiting: int) -> None:
    proxy.reachable = False
    proxy.hang_up()
    pair.cancel(waiting)


Cut = Callable[[Pair, Proxy, int], None]
CUTS: tuple[Cut, ...] = (_cancelled, _terminated_twice, _terminated_and_cancelled, _lost)


def _acknowledged(say: Callable[[], object], pair: Pair, proxy: Proxy, cut: Cut) -> bool:
    """Whether what was said was acknowledged, though the wait for the standby was cut."""
    saying = Saying(say)
    cut(pair, proxy, pair.waiting())
    try:
        saying.answer()
    except LedgerError:
        return False
    finally:
        proxy.reachable = True
    return True


def _say_each_way(pair: Pair, told: set[str]) -> None:
    """Say something new, and that again, and seal, and cut each wait in each way; note what is acknowledged."""
    for cut in CUTS:
        with Proxy(pair.conninfo) as proxy, assemble(proxy.conninfo) as ledger:
            for _ in range(2):
                if _acknowledged(partial(ledger.plan, "T", job=cut.__name__), pair, proxy, cut):
                    told.add(f"job:{cut.__name__}")
    with assemble(pair.conninfo) as ledger:
        _import_again(ledger, pair, told)


def _import_again(ledger: Ledger, pair: Pair, told: set[str]) -> None:
    lines = [f'{{"job": "{cut.__name__}", "event": "planned", "type": "T"}}'.encode() for cut in CUTS]
    saying = Saying(lambda: ledger.import_records(lines))
    pair.cancel(pair.waiting())
    with pytest.raises(LedgerError):
        told |= {f"job:{cut.__name__}" for cut in CUTS} if saying.answer() else set()


def test_what_was_acknowledged_is_there_after_a_failover(tmp_path: Path) -> None:
    """And what was on the primary alone, and is gone, was acknowledged to nobody: not the first time, nor again."""
    file = KeyFile(tmp_path / "key")
    with running(tmp_path) as pair:
        told = {"job:before"}
        with assemble(pair.conninfo) as ledger:
            ledger.plan("T", job="before")
        Sealer(SealTable(lambda: connect(pair.conninfo)), file).seal()
        pair.stop_receiver()
        _say_each_way(pair, told)
        with Proxy(pair.conninfo) as proxy:
            sealer = Sealer(SealTable(lambda: connect(proxy.conninfo)), file)
            assert not any(_acknowledged(sealer.seal, pair, proxy, cut) for cut in (_cancelled, _lost, _cancelled))
        on_the_primary = {row["originator_id"] for row in pair.ask(RECORDED)}
        conninfo = pair.fail_over()
        kept = {row["originator_id"] for row in pair.ask(RECORDED, standby=True)}
        assert told <= kept
        assert on_the_primary - kept == {f"job:{cut.__name__}" for cut in CUTS}
        done = Sealer(SealTable(lambda: connect(conninfo)), file).seal()
        assert (done.events, done.signed.size) == (0, 1)
