import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.domain.events import RecordedEvent
from ledger.errors import LedgerError
from ledger.recovery import reconcile
from ledger.store.connection import connect
from projections.followed import follower, history
from projections.followed.history import History
from tests.projections.conftest import INSERT
from tests.projections.histories import History as Told

ROOT = Path(__file__).parents[2]
Admin = psycopg.Connection[dict[str, Any]]


@pytest.fixture(params=[1, 2, 3])
def told(request: pytest.FixtureRequest, ledger: Ledger) -> Ledger:
    """A ledger with a random history."""
    random_history = Told(request.param)
    for _ in range(200):
        with suppress(LedgerError):
            ledger.record(random_history.next())
    return ledger


def _rows(admin: Admin) -> dict[str, list[str]]:
    statement = "SELECT t::text AS said FROM history.{} AS t ORDER BY 1"
    return {
        table: [row["said"] for row in admin.execute(statement.format(table)).fetchall()] for table in History().tables
    }


@pytest.fixture
def whole(told: Ledger, admin: Admin) -> dict[str, list[str]]:
    """The rows of a history that was filled in one page."""
    follower.follow(admin)
    return _rows(admin)


def test_pages_of_any_size_leave_the_same_rows(
    admin: Admin, whole: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so does a rebuild, which drops them all."""
    for size in (1, 7, 50):
        monkeypatch.setattr(follower, "PAGE_EVENTS_MAX", size)
        follower.empty(admin)
        assert not any(_rows(admin).values())
        follower.follow(admin)
        assert _rows(admin) == whole


def test_killed_before_each_statement_it_leaves_the_same_rows(
    admin: Admin, conninfo: str, whole: dict[str, list[str]]
) -> None:
    """kill -9, again and again, and each time the next one goes on."""
    follower.empty(admin)
    killed = 0
    for statement in range(30):
        command = (sys.executable, "-m", "tests.projections.followed", conninfo, "9", str(statement), "history")
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        (row,) = admin.execute("SELECT count(*), coalesce(max(position), 0) AS last FROM history.entries").fetchall()
        reached = next(view for view in follower.reached(admin) if view["view"] == "history")
        assert row["count"] == row["last"] == reached["position"]
    assert killed > 5
    follower.follow(admin)
    assert _rows(admin) == whole


def test_an_event_that_makes_no_sense_is_named(ledger: Ledger, admin: Admin) -> None:
    """Bytes that some other program wrote stop nothing: they are told as a row that is no event, and why."""
    admin.execute(INSERT, ("job:stray", 1, "job.planned.v1", b'{"id": "x", "at": "2026-01-02T03:04:05Z"}'))
    ledger.plan("T", job="after")
    assert follower.follow(admin) == 2
    stray, after = ledger.search().page(oldest=True).entries
    assert (stray.entry.event.name, stray.entry.event.job, after.entry.event.job) == ("damaged", "stray", "after")
    (found,) = ledger.search('job:stray text:"not those of a planned"').page().entries
    assert found.position == 1


def test_recovery_is_known_by_its_name() -> None:
    """What recovery records says so by the actor that the view looks for."""
    assert history.RECOVERY == reconcile.ACTOR


def test_who_may_only_read_is_told_how_far_the_answer_is_true(ledger: Ledger, superuser: str) -> None:
    """The reader's answer stays behind until somebody who may write asks."""
    from psycopg.conninfo import make_conninfo

    from ledger.service.assembly import assemble

    ledger.plan("T", job="a")
    assert ledger.search("job:a").page().position == 1
    ledger.start("a")
    with assemble(make_conninfo(superuser, options="-c role=jobledger_reader")) as reader:
        page = reader.search("job:a").page()
        assert (page.position, [_said(it.entry) for it in page.entries]) == (1, ["planned"])
        assert reader.search().durations() == ([], 1)
        ledger.search().page(limit=1)
        page = reader.search("job:a").page()
        assert (page.position, [_said(it.entry) for it in page.entries]) == (2, ["started", "planned"])


def test_an_empty_ledger_answers_with_nothing(conninfo: str, ledger: Ledger) -> None:
    """Up to position 0."""
    page = ledger.search("after:-1h").page()
    assert (page.entries, page.position, page.more) == ([], 0, False)
    with connect(conninfo) as session:
        assert follower.reached(session)[0]["lag"] == 0


def _said(entry: RecordedEvent) -> str:
    return entry.event.name
