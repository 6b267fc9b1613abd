"""A ledger from before long streams were looked up is brought along by a migration."""

import subprocess
from typing import Any

import psycopg
import pytest

from ledger.domain.decisions import Disposition
from ledger.errors import ViewBehind
from ledger.service.assembly import assemble
from ledger.service.readiness import bring_up, migrator
from ledger.store.connection import connect
from projections.inline import backfill, rebuild
from projections.inline.job_status import SNAPSHOT_EVENTS
from tests.service.cli.conftest import COMMAND, environment
from tests.store.controls import INSERT
from tests.store.long import make_long, progress, tell

# As it was before: without the tables, and no document said who had taken an end action.
OLDER = """
DROP TABLE projections.told, projections.snapshots;
DELETE FROM projections.tracking WHERE view = 'told';
UPDATE projections.job_status SET document = (document::jsonb - 'claimed_by')::json;
DELETE FROM ledger.migrations WHERE schema = 'projections' AND number = 7;
"""
EVENTS = 2 * SNAPSHOT_EVENTS + 100


@pytest.fixture
def older(superuser: str) -> str:
    """A superuser's conninfo of an older ledger with a long job, a long owner and a parent that is closing."""
    with assemble(superuser) as ledger:
        make_long(ledger, "long", EVENTS)
        tell(ledger, *({"event": "owner_started", "owner": "o", "epoch": epoch} for epoch in range(1, 41)))
        ledger.plan("Move", job="p", end_action="owner", children=[{"job": "c", "type": "Part"}])
        ledger.succeed("c")
        with ledger.start_owner("o") as owner:
            owner.record({"job": "p", "event": "closing"})
        ledger.record({"job": "p", "event": "adopted", "owner": "other", "epoch": 1})
    with psycopg.connect(superuser) as connection:
        connection.execute(OLDER)
    return superuser


def test_what_was_told_is_unchanged_and_views_are_as_if_built_anew(older: str) -> None:
    """Repeats are found by their content, by fresh processes; compare finds no row that differs."""
    assert [migration.name for migration in bring_up(older)] == ["long_streams"]

    _compare(older)
    with assemble(older) as ledger:
        position = ledger.position()
        again = tell(ledger, progress("long", 17), progress("long", EVENTS - 1))
        assert [(it.disposition, it.version) for it in again] == [
            (Disposition.UNCHANGED, 18), (Disposition.UNCHANGED, EVENTS),
        ]  # fmt: skip
        assert ledger.record({"event": "owner_started", "owner": "o", "epoch": 30}).version == 30
        assert ledger.position() == position
        ledger.succeed("p")
    _compare(older)
    assert bring_up(older) == []


def test_an_append_before_it_is_filled_says_that_a_view_is_behind(older: str) -> None:
    """And the next migration goes on, even where nothing is left but to fill."""
    _migrate_alone(older)
    with assemble(older) as ledger, pytest.raises(ViewBehind, match="The view told must be near"):
        ledger.progress("long", done=1)

    assert bring_up(older) == []

    with assemble(older) as ledger:
        assert ledger.progress("long", done=1).version == EVENTS + 1
    _compare(older)


def test_one_that_is_killed_on_its_way_is_gone_on_with(older: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, each its own transaction, and appends go on between them."""
    monkeypatch.setattr(backfill, "PAGE_POSITIONS", 100)
    _migrate_alone(older)

    class Killed(BaseException):
        pass

    def kill(position: int, _goal: int) -> None:
        if position >= 300:
            raise Killed

    with connect(older) as connection, pytest.raises(Killed):
        backfill.fill(connection, kill)
    with connect(older) as connection:
        assert connection.execute("SELECT count(*) AS n FROM projections.told").fetchall()[0]["n"] > 0
        heard: list[tuple[int, int]] = []
        assert backfill.fill(connection, lambda *said: heard.append(said))
        assert heard[0][0] == 100
        assert heard[-1][0] == heard[-1][1]
        assert not backfill.fill(connection)
    _compare(older)


def test_a_row_that_is_no_event_is_left_out(older: str) -> None:
    """Another program's junk in one stream keeps the others from nothing."""
    _migrate_alone(older)
    with psycopg.connect(older) as connection:
        connection.execute(
            "INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state) "
            "SELECT 'job:junk', n, 'job.progressed.v1', 'junk'::bytea FROM generate_series(1, 20) AS n"
        )
    with connect(older) as connection:
        assert backfill.fill(connection)
        found = connection.execute("SELECT version, position FROM projections.tracking WHERE view = 'told'").fetchall()
        head = connection.execute("SELECT max(notification_id) AS head FROM ledger.stored_events").fetchall()[0]["head"]
        assert found == [{"version": 1, "position": head}]


def test_the_command_migrates_and_fills(older: str) -> None:
    """`jobledger migrate` is all that an administrator runs."""
    done = subprocess.run((*COMMAND, "migrate"), env=environment(older), capture_output=True, text=True, check=True)

    assert done.stdout == "applied projections 0007 long_streams\n"
    _compare(older)


def test_the_embedded_database_fills_itself(tmp_path: Any) -> None:
    """With the next command, whatever was left undone."""
    env = environment(None, JOBLEDGER_DATA=str(tmp_path / "data"))

    def run(*words: str, stdin: str = "") -> str:
        done = subprocess.run((*COMMAND, *words), env=env, input=stdin, capture_output=True, text=True, check=True)
        return done.stdout

    try:
        lines = ['{"job":"a","event":"planned","type":"Copy"}']
        lines += [f'{{"job":"a","event":"progressed","done":{n},"at":"2026-01-01T00:00:00Z"}}' for n in range(1_200)]
        run("import", "-", stdin="\n".join(lines))
        run("pg", "psql", "-c", "TRUNCATE projections.told; DELETE FROM projections.tracking WHERE view = 'told'")
        assert '"disposition":"unchanged"' in run("record", lines[1_000])
    finally:
        run("pg", "stop")


def _migrate_alone(conninfo: str) -> None:
    assert [migration.name for migration in migrator().migrate(conninfo)] == ["long_streams"]


def _compare(conninfo: str) -> None:
    with connect(conninfo) as connection:
        found = rebuild.compare(connection)
        assert set(found) == {"job_status", "running_jobs", "told"}
        assert set(found.values()) == {0}


@pytest.mark.parametrize(
    "closing", [b"\xff\x00", b'{"owner":"o","epoch":"x"}', b'{"owner":7,"epoch":1e30}', b'{"owner":"\\u0000"}']
)
def test_an_older_ledger_with_a_bad_row_is_brought_along(superuser: str, closing: bytes) -> None:
    """Of a job that is closing the newest such row is asked, which a writer of that release may have bent."""
    with assemble(superuser) as ledger:
        ledger.plan("Move", job="p", end_action="owner", children=[{"job": "c", "type": "Part"}])
        ledger.succeed("c")
        with ledger.start_owner("o") as owner:
            owner.record({"job": "p", "event": "closing"})
    with psycopg.connect(superuser) as connection:
        connection.execute(INSERT, ("job:p", 3, "job.closing.v1", closing))
        connection.execute(OLDER)

    assert [migration.name for migration in bring_up(superuser)] == ["long_streams"]
    with assemble(superuser) as ledger:
        ledger.plan("T", job="beside")
        assert ledger.job("p").flags == ["damaged"]
