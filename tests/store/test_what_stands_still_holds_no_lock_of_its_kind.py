import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.errors import Unavailable
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.service.readiness import SEALER, WRITER
from ledger.store.connection import connect
from ledger.store.seals import SealTable
from ledger.store.statements import SQL
from projections.followed.follower import ViewFollower
from projections.inline import rebuild
from projections.statements import FOLLOWED


def _seal(conninfo: str, folder: Path) -> None:
    Sealer(SealTable(lambda: connect(conninfo)), KeyFile(folder / "key")).seal()


def _follow(conninfo: str, _: Path) -> None:
    ViewFollower(lambda: connect(conninfo)).catch_up()


@pytest.mark.parametrize(("lock", "work"), [(SQL["take_seal_lock"], _seal), (FOLLOWED["take_follow_lock"], _follow)])
def test_who_waits_for_its_own_kind_waits_within_bounds(
    conninfo: str, ledger: Ledger, tmp_path: Path, lock: str, work: Callable[[str, Path], None]
) -> None:
    ledger.plan("T", job="a")
    role = SEALER if work is _seal else WRITER
    with psycopg.connect(make_conninfo(conninfo, options=role)) as holder:
        holder.execute(lock)
        with pytest.raises(Unavailable if work is _seal else psycopg.errors.LockNotAvailable, match="lock timeout"):
            work(make_conninfo(conninfo, options=f"{role} -c lock_timeout=200ms"), tmp_path)
        holder.rollback()
    work(make_conninfo(conninfo, options=role), tmp_path)


def test_a_sealer_that_stands_still_is_ended_by_the_server(conninfo: str, ledger: Ledger, tmp_path: Path) -> None:
    """It holds up no other; and what it had not committed was not sealed."""
    ledger.plan("T", job="a")
    still = make_conninfo(conninfo, options=f"{SEALER} -c idle_in_transaction_session_timeout=300ms")
    inside, over = threading.Event(), threading.Event()
    ended: list[Unavailable] = []

    def stand_still() -> None:
        try:
            with SealTable(lambda: connect(still)).sealing() as seals:
                inside.set()
                over.wait()
                seals.head()
        except Unavailable as error:
            ended.append(error)

    sealer = threading.Thread(target=stand_still)
    sealer.start()
    inside.wait()
    _seal(make_conninfo(conninfo, options=SEALER), tmp_path)
    over.set()
    sealer.join()
    assert len(ended) == 1


def test_a_rebuild_that_stands_still_is_ended_by_the_server(
    superuser: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether inside a transaction or between two; the next one waits for it no longer than that."""
    ledger.plan("T", job="a")
    monkeypatch.setattr(rebuild, "STILL_SECONDS_MAX", 1)
    for inside in (False, True):
        with connect(superuser) as still, connect(superuser) as second, suppress(psycopg.Error):
            with rebuild.alone(still):
                if inside:
                    still.execute("BEGIN")
                assert rebuild.rebuild(second) == 1  # which waits until the first one's session is ended
            pytest.fail("its session was not ended")
