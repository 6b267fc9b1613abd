import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg

from ledger.application import Ledger
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.store.seals import SealTable
from tests.integrity.conftest import record
from tests.store.controls import stray


def _sizes(room: SealTable) -> list[int]:
    with room.reading() as seals:
        return [row.size for row in seals.checkpoints()]


def test_an_empty_ledger_is_sealed_as_empty(sealer: Sealer, room: SealTable) -> None:
    done = sealer.seal()

    assert (done.events, done.signed.size, done.new_key) == (0, 0, True)
    assert sealer.seal().new_key is False
    assert _sizes(room) == [0]


def test_only_what_is_new_is_sealed_again(conninfo: str, sealer: Sealer, room: SealTable) -> None:
    record(conninfo, 1, 300)
    first = sealer.seal()
    again = sealer.seal()
    record(conninfo, 301, 600)
    second = sealer.seal()

    assert (first.events, again.events, second.events) == (300, 0, 300)
    assert again.signed == first.signed
    assert _sizes(room) == [300, 600]


def test_a_long_backlog_is_sealed_in_batches(conninfo: str, room: SealTable, key_file: KeyFile) -> None:
    record(conninfo, 1, 1_000)
    done = Sealer(room, key_file, batch_events=300).seal()

    assert done.events == done.signed.size == 1_000
    assert _sizes(room) == [300, 600, 900, 1_000]


def test_what_is_not_committed_is_not_sealed_and_nobody_waits(conninfo: str, sealer: Sealer) -> None:
    record(conninfo, 1, 3)
    with psycopg.connect(conninfo) as other:
        stray(other, "job:open")
        assert sealer.seal().signed.size == 3
    assert sealer.seal().signed.size == 4


def test_an_append_does_not_wait_for_a_sealer(room: SealTable, ledger: Ledger) -> None:
    with room.sealing():
        assert ledger.plan("T", job="a").position == 1


def test_two_sealers_at_once_take_turns(conninfo: str, room: SealTable, key_file: KeyFile) -> None:
    with ThreadPoolExecutor(4) as pool:
        for first in range(1, 200, 20):
            record(conninfo, first, first + 19)
            done = list(pool.map(lambda _: Sealer(room, key_file).seal(), range(4)))
            assert {each.signed.size for each in done} == {first + 19}
            assert sum(each.events for each in done) == 20

    assert _sizes(room) == list(range(20, 201, 20))
    with room.reading() as seals:
        assert len(seals.public_keys()) == 1


def test_a_follower_seals_what_comes(conninfo: str, sealer: Sealer) -> None:
    waits = iter(range(1, 5))

    def wait(seconds: float) -> None:
        assert seconds == 7
        turn = next(waits)
        if turn != 2:
            record(conninfo, turn, turn)

    seen = sealer.follow(7, wait)

    assert [next(seen).signed.size for _ in range(3)] == [0, 1, 2]


def test_writes_go_on_beside_a_follower(conninfo: str, sealer: Sealer, ledger: Ledger) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(lambda: [sealer.seal() for _ in iter(stop.is_set, True)])
        for n in range(100):
            ledger.plan("T", job=f"j{n}")
        stop.set()
        assert following.result()[-1].signed.size <= 100
    assert sealer.seal().signed.size == 100
