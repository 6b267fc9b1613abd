"""A database is restored from a backup, or fails over with loss, and grows again before a process comes back to it."""

import copy
from collections.abc import Callable, Iterator
from itertools import islice

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.application import Ledger
from ledger.domain.cursor import Cursor, parse_cursor
from ledger.errors import BadInput, JobNotFound, PositionAhead
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.service.assembly import assemble
from ledger.service.readiness import WRITER
from ledger.store import feed
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.integrity.conftest import room_of
from tests.store.controls import rows

Regrow = Callable[[], None]
INSERT = "INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)"
VM = {"type": "vm", "id": "web01", "access": "exclusive"}


@pytest.fixture
def regrow(server: str, superuser: str) -> Iterator[Regrow]:
    """Puts the backup, of whatever is on record now, in the place of the database, and lets it grow on by others."""
    name = str(conninfo_to_dict(superuser)["dbname"])
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} RENAME TO {name}_0")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {name}_0")
        admin.execute(f"ALTER DATABASE {name} RENAME TO {name}_1")
        admin.execute(f"ALTER DATABASE {name}_0 RENAME TO {name}")

        def restore() -> None:
            for part in (name, f"{name}_1"):
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (part,))
            admin.execute(f"ALTER DATABASE {name} RENAME TO {name}_lost")
            admin.execute(f"ALTER DATABASE {name}_1 RENAME TO {name}")
            with assemble(make_conninfo(superuser, options=WRITER)) as other:
                for n in range(6):
                    other.plan("T", job=f"new{n}")

        yield restore
        admin.execute(f"DROP DATABASE IF EXISTS {name}_lost WITH (FORCE)")
        admin.execute(f"DROP DATABASE IF EXISTS {name}_1 WITH (FORCE)")


@pytest.fixture
def idle(conninfo: str, regrow: Regrow) -> Iterator[Ledger]:
    """A process that knows what the backup does not: a job that runs on an entity, at positions 1 to 3."""
    with assemble(conninfo) as ledger:
        ledger.plan("T", job="lost", entities=[VM])
        ledger.start("lost", executor="e", external_id="1")
        ledger.progress("lost", 50)
        yield ledger


def test_nothing_is_decided_by_what_was_lost(superuser: str, idle: Ledger, regrow: Regrow) -> None:
    """Whatever was appended since: no stream begins in its middle, nothing is unchanged that is not on record."""
    regrow()
    for say in (
        lambda: idle.succeed("lost"),
        lambda: idle.progress("lost", 50),
        lambda: idle.plan("T", job="lost", entities=[VM]),
        lambda: idle.plan("T", job="another"),
        idle.position,
        lambda: next(idle.watch()),
    ):
        with pytest.raises(PositionAhead, match="at position 3, which is known here") as caught:
            say()
        assert (caught.value.facts["position"], caught.value.facts["head"]) == (3, 6)
    with connect(superuser) as admin:
        assert {row["originator_version"] for row in rows(admin)} == {1}
        assert rebuild.compare(admin) == {"job_status": 0, "running_jobs": 0, "told": 0}
        assert rebuild.rebuild(admin) == 6


def test_a_loss_is_looked_at_and_put_on_record(superuser: str, idle: Ledger, regrow: Regrow) -> None:
    """What was acknowledged is told; then the process goes on, knowing nothing of what it had read before."""
    known = idle.watch(0)
    kept = [entry.cursor for entry in islice(known, 3)]
    assert not idle.lost(kept)
    regrow()
    loss = idle.lost(kept)
    assert [receipt.version for receipt in loss.receipts] == [1, 2, 3]
    assert (loss.cursors, loss.known, int(loss.end)) == (kept, kept[-1], 6)

    assert idle.accept_loss(kept, actor="ann", reason="the disk is gone") == loss
    assert not idle.lost()
    with pytest.raises(JobNotFound):
        idle.succeed("lost")
    assert idle.plan("T", job="lost", entities=[VM]).position == 8
    (entry,) = (entry for entry in idle.events() if entry.event.name == "loss_accepted")
    assert (entry.position, entry.event.actor, entry.event.reason) == (7, "ann", "the disk is gone")
    said = entry.event.fact.body
    assert (said["known_at"], said["known_id"], said["ends_at"], said["receipts"]) == (3, kept[-1].event_id, 6, 3)
    assert said["jobs"] == ["lost"]
    assert not idle.accept_loss()
    assert idle.position() == 8
    with connect(superuser) as admin:
        assert rebuild.compare(admin) == {"job_status": 0, "running_jobs": 0, "told": 0}


def test_a_reader_that_was_further_is_told(conninfo: str, idle: Ledger, regrow: Regrow) -> None:
    """One that keeps a cursor, and one that is reading; who gives a bare number is believed."""
    kept = idle.position()
    regrow()
    with assemble(conninfo) as fresh:
        with pytest.raises(PositionAhead, match=f"event {kept.event_id} at position 3"):
            next(fresh.watch(kept))
        with pytest.raises(PositionAhead):
            next(fresh.watch(parse_cursor(kept.text)))
        assert next(fresh.watch(3)).event.job == "new3"


def test_a_watch_that_goes_on_over_a_restore_is_told(
    idle: Ledger, regrow: Regrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at once, for a stale primary may answer for a moment; but it never goes on behind what it has not read."""
    monkeypatch.setattr("ledger.store.outage.STALE_SECONDS_MAX", 0.5)
    watched = idle.watch(0)
    assert [next(watched).position for _ in range(3)] == [1, 2, 3]
    regrow()
    with pytest.raises(PositionAhead):
        next(watched)


def test_each_look_proves_what_was_read_last(idle: Ledger, superuser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the same connection too, where somebody who owns the tables has put other rows there."""
    monkeypatch.setattr("ledger.store.outage.STALE_SECONDS_MAX", 0.0)
    watched = idle.watch(0)
    assert [next(watched).position for _ in range(3)] == [1, 2, 3]
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL")
        admin.execute("""UPDATE ledger.stored_events SET state = '{"id":"x"}' WHERE notification_id = 3""")
    with pytest.raises(PositionAhead):
        next(watched)
    with pytest.raises(PositionAhead):
        idle.plan("T", job="b")


def test_an_event_is_known_by_its_id_in_whatever_form_its_bytes_are(conninfo: str, ledger: Ledger) -> None:
    """As others than this release may have written them."""
    state = b'{ "id" : "odd", "at": "2026-01-02T03:04:05Z", "type": "T", "root": "a"}'
    with psycopg.connect(conninfo, autocommit=True) as writer:
        writer.execute(INSERT, ("job:a", 1, "job.planned.v1", state))
    watched = ledger.watch(0)
    cursor = next(watched).cursor
    assert cursor.text == "1:odd"
    ledger.check_place(cursor)
    assert not ledger.lost([cursor])
    for other in ("od", "odd\udcff"):
        with pytest.raises(PositionAhead):
            ledger.check_place(Cursor(1, other))
        with pytest.raises(PositionAhead):
            next(ledger.watch(Cursor(1, other)))
    ledger.plan("T", job="b")
    assert next(watched).event.job == "b"
    assert next(ledger.watch(cursor)).event.job == "b"


def test_a_loss_that_cannot_be_recorded_is_not_forgotten(
    idle: Ledger, regrow: Regrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    regrow()
    monkeypatch.setattr(feed.Feed, "ledger", lambda _: "no uuid")
    with pytest.raises(BadInput):
        idle.accept_loss()
    with pytest.raises(PositionAhead):
        idle.plan("T", job="b")
    assert len(idle.lost().receipts) == 3


def test_junk_of_a_writer_in_a_loss_keeps_nobody_from_accepting_a_break(
    superuser: str, conninfo: str, ledger: Ledger, tmp_path: object
) -> None:
    """A writer may say that a loss was looked at; what it says otherwise is one bad row."""
    ledger.plan("T", job="a")
    uuid = ledger._feed.ledger()
    with psycopg.connect(conninfo, autocommit=True) as writer:
        writer.execute(INSERT, (f"ledger:{uuid}", 1, "ledger.loss_accepted.v1", b'{"id":"x"}'))
        with pytest.raises(psycopg.Error, match="whoever may seal"):
            writer.execute(INSERT, (f"ledger:{uuid}", 2, "ledger.break_accepted.v1", b'{"id":"y"}'))
    with assemble(superuser) as operator:
        said = {"event": "break_accepted", "ledger": uuid, "break_at": 2, "promise": "bytes", "reason": "seen"}
        assert operator.record(said).position == 3
    assert Sealer(room_of(superuser), KeyFile(tmp_path / "key")).seal().signed.size == 3  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "x", "-1", "1:", ":x", "1.5", "٣", "99999999999999999999", " 1"])
def test_a_place_that_is_none_is_told(text: str) -> None:
    with pytest.raises(BadInput):
        parse_cursor(text)


def test_a_cursor_is_a_number_that_knows_its_event() -> None:
    """It is counted, compared, printed and sent as one, and is kept by a copy."""
    cursor = parse_cursor("12:a:b")
    assert (cursor, cursor + 1, f"{cursor:,}", str(cursor), cursor.event_id) == (12, 13, "12", "12", "a:b")
    assert parse_cursor(cursor.text).event_id == "a:b"
    assert copy.deepcopy(cursor).event_id == "a:b"
    assert (Cursor(12).text, parse_cursor("12").event_id) == ("12", None)


@pytest.mark.parametrize("character", ["😀", "\x01"])
def test_the_longest_id_is_known_again(ledger: Ledger, character: str) -> None:
    """That of a child's event is made of its parent's and the child's name."""
    child = {"type": "C", "job": character * 200}
    ledger.record({"job": "a", "event": "planned", "type": "T", "id": character * 256, "children": [child]})
    first, last = ledger.events()
    assert ledger.position().event_id == last.event.id
    for entry in (first, last):
        ledger.check_place(entry.cursor)
