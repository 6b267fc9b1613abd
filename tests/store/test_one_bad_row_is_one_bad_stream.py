"""Rows that are no events, put in by an owner of the table or before this release: they spoil their own stream."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.errors import IntegrityFailure, SchemaTooNew, StreamDamaged
from ledger.service.assembly import assemble
from ledger.service.readiness import WRITER
from projections.followed import follower
from projections.inline import rebuild
from projections.inline.damaged import damaged_rows
from projections.inline.views import PROJECTIONS
from tests.store.controls import INSERT

PLANNED = b'{"id":"x","at":"2026-01-02T03:04:05Z","type":"T","root":"a"}'
BAD = {
    "junk": ("job:a", 3, "job.started.v1", b"\xff\x00 not json"),
    "JSON that is no object": ("job:a", 3, "job.started.v1", b"null"),
    "another fact": ("job:a", 3, "job.progressed.v1", b'{"id":"x","at":"2026-01-02T03:04:05Z","percent":"much"}'),
    "no time": ("job:a", 3, "job.started.v1", b'{"id":"x","at":"yesterday"}'),
    "no id": ("job:a", 3, "job.started.v1", b'{"at":"2026-01-02T03:04:05Z"}'),
    "a foreign topic": ("job:a", 3, "os.system", b"{}"),
    "a topic of an owner": ("job:a", 3, "owner.started.v1", b'{"id":"x","at":"2026-01-02T03:04:05Z"}'),
    "out of turn": ("job:a", 77, "job.started.v1", b'{"id":"x","at":"2026-01-02T03:04:05Z"}'),
    "a late report of nothing": (
        "job:a", 3, "job.late.v1",
        b'{"id":"x","at":"2026-01-02T03:04:05Z","because":"closed","report":{"event":"nothing"}}',
    ),
}  # fmt: skip
ENVELOPES = {
    "an id that is none": b'"id":5', "no id": b'"raw":"x"', "an id that is a list": b'"id":[1]',
    "an actor that is an object": b'"id":"x","actor":{"a":1}', "an actor with NUL": b'"id":"x","actor":"a\\u0000b"',
    "a long actor": b'"id":"x","actor":"' + b"a" * 3_000_000 + b'"', "an actor that is a number": b'"id":"x","actor":5',
    "a reason that is an object": b'"id":"x","reason":{"x":[1]}', "half a character": b'"id":"x","reason":"\\ud800"',
    "an epoch in words": b'"id":"x","owner":"o","epoch":"x"', "an epoch in parts": b'"id":"x","owner":"o","epoch":1.5',
    "an epoch beyond all": b'"id":"x","owner":"o","epoch":1000000000000000000000000000000',
    "an epoch that is true": b'"id":"x","owner":"o","epoch":true', "an owner that is a list": b'"id":"x","owner":[1]',
    "a raw word that is none": b'"id":"x","raw":7', "a trace that is none": b'"id":"x","traceparent":[]',
    "no depth": b'"id":"x","depth":0', "a depth beyond all": b'"id":"x","depth":1099511627776',
}  # fmt: skip
BAD |= {
    name: ("job:a", 3, "job.cancel_requested.v1", b"{" + said + b',"at":"2026-01-02T03:04:05Z"}')
    for name, said in ENVELOPES.items()
}
FIRST = {
    **{
        name: ("job:b", 1, "job.planned.v1", b"{" + said + b',"at":"2026-01-02T03:04:05Z","type":"T","root":"b"}')
        for name, said in ENVELOPES.items()
    },
    "junk": ("job:b", 1, "job.planned.v1", b"junk"),
    "a foreign topic": ("job:b", 1, "os.system", b"{}"),
    "out of turn": ("job:b", 77, "job.planned.v1", PLANNED),
    "no beginning": ("job:b", 1, "job.started.v1", b'{"id":"x","at":"2026-01-02T03:04:05Z"}'),
    "a refusal of nothing": (
        "job:b", 1, "job.refused.v1", b'{"id":"x","at":"2026-01-02T03:04:05Z","plan":{"type":7},"blockers":[]}'
    ),
}  # fmt: skip
STRAY = {
    "no stream": ("somewhere", 1, "job.planned.v1", PLANNED),
    "no name": ("job:", 1, "job.planned.v1", PLANNED),
    "a long name": ("job:" + "b" * 201, 1, "job.planned.v1", PLANNED),
    "an owner": ("owner:o", 1, "owner.started.v1", b"junk"),
    "the ledger itself": ("ledger:x", 1, "ledger.break_accepted.v1", b"junk"),
}


@pytest.fixture
def admin(superuser: str) -> Iterator[psycopg.Connection[dict[str, object]]]:
    """The owner of the tables, whom no guard binds."""
    with psycopg.connect(superuser, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


@pytest.fixture
def begun(ledger: Ledger) -> Ledger:
    """A ledger with a job that holds an entity, which the bad row is about, and one beside it."""
    ledger.plan("T", job="a", entities=[{"type": "vm", "id": "web01"}])
    ledger.start("a", executor="e", external_id="1")
    ledger.plan("T", job="beside", entities=[{"type": "vm", "id": "web02"}])
    return ledger


def _all_else_goes_on(conninfo: str, ledger: Ledger, position: int) -> None:
    """Appends, feeds, rebuild, search, past: of a process that knew the ledger before, and of a fresh one."""
    ledger.start("beside", executor="e", external_id="2")
    with assemble(make_conninfo(conninfo, options=WRITER)) as fresh:
        fresh.plan("T", job="later")
        fresh.succeed("beside")
        assert fresh.wait("beside", 5).ok
        entries = list(fresh.events())
        assert [entry.position for entry in entries] == list(range(1, fresh.position() + 1))
        assert [entry.position for entry in entries if entry.event.name == "damaged"] in ([position], [])
        assert not fresh.busy("vm/web02").busy
        assert [entry.position for entry in fresh.search("event:damaged").entries()] in ([position], [])
        assert fresh.search("job:later").page().entries[0].entry.event.job == "later"
        assert fresh.as_of(fresh.position()).job("beside").ok
        assert {job.job for job in fresh.jobs()} >= {"beside", "later"}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_job_with_a_bad_row_shows_as_damaged(
    admin: psycopg.Connection[dict[str, object]], superuser: str, begun: Ledger, bad: tuple[str, int, str, bytes]
) -> None:
    """It keeps what it said before, takes nothing more, and says why; everything else goes on."""
    admin.execute(INSERT, bad)
    _all_else_goes_on(superuser, begun, 4)

    with pytest.raises(StreamDamaged, match="What is on record of job a must be whole, and is damaged"):
        begun.succeed("a")
    with assemble(make_conninfo(superuser, options=WRITER)) as fresh:
        for said in ({"event": "progressed", "percent": 1}, {"event": "planned", "type": "T"}):
            with pytest.raises(IntegrityFailure):
                fresh.record({"job": "a", **said})
        view = fresh.job("a")
        assert ("damaged" in view.flags, view.phase, view.ok, view.position) == (True, "running", None, 4)
        assert fresh.busy("vm/web01").busy
        assert [entry.event.name for entry in fresh.history("a")][:2] == ["planned", "started"]
        assert fresh.as_of(3).job("a").flags == []
        assert fresh.as_of(4).job("a").flags == ["damaged"]
        assert fresh.as_of(4).job("a")._replace(elapsed_seconds=0) == view._replace(elapsed_seconds=0)
        assert [job.job for job in fresh.tree("a")] == ["a"]
    assert [row.position for row in damaged_rows(admin, 10)] == [4]


@pytest.mark.parametrize("bad", FIRST.values(), ids=FIRST.keys())
def test_a_job_that_begins_with_a_bad_row_is_shown_too(
    admin: psycopg.Connection[dict[str, object]], superuser: str, begun: Ledger, bad: tuple[str, int, str, bytes]
) -> None:
    """Nobody can say what it is; it holds nothing, and is found under its name."""
    admin.execute(INSERT, bad)
    _all_else_goes_on(superuser, begun, 4)

    with pytest.raises(StreamDamaged, match="job b"):
        begun.plan("T", job="b")
    with pytest.raises(StreamDamaged, match="job b"):
        begun.plan("T", job="c", parent="b")
    view = begun.job("b")
    assert (view.flags, view.phase, view.outcome, view.ok) == (["damaged"], "closed", "unknown", None)
    assert "b" in {job.job for job in begun.jobs()}
    then = begun.as_of(4).job("b")
    assert then._replace(elapsed_seconds=0) == view._replace(elapsed_seconds=0)
    assert len(begun.history("b")) == 1


@pytest.mark.parametrize("bad", STRAY.values(), ids=STRAY.keys())
def test_a_row_of_no_job_stops_nothing(
    admin: psycopg.Connection[dict[str, object]], superuser: str, begun: Ledger, bad: tuple[str, int, str, bytes]
) -> None:
    """A stream that can be none, of an owner or of the ledger itself, is named and passed over."""
    admin.execute(INSERT, bad)
    _all_else_goes_on(superuser, begun, 4)

    assert [(row.position, row.stream) for row in damaged_rows(admin, 10)] == [(4, bad[0])]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_the_events_are_shown_in_sql_beside_a_bad_row(
    admin: psycopg.Connection[dict[str, object]], begun: Ledger, bad: tuple[str, int, str, bytes]
) -> None:
    """Whoever reads the view `ledger.events` sees all others, and what the row says where that is JSON."""
    admin.execute(INSERT, bad)
    rows = admin.execute("SELECT position, said ->> 'id' AS id FROM ledger.events ORDER BY position").fetchall()
    assert [row["position"] for row in rows] == [1, 2, 3, 4]
    assert all(row["id"] for row in rows[:3])


def test_a_damaged_owner_starts_no_more_and_others_do(
    admin: psycopg.Connection[dict[str, object]], begun: Ledger
) -> None:
    """Its epochs cannot be known, so that none begins; who was fenced stays so."""
    admin.execute(INSERT, STRAY["an owner"])
    with pytest.raises(StreamDamaged, match="owner o"):
        begun.record({"event": "owner_started", "owner": "o", "epoch": 1})
    assert begun.record({"event": "owner_started", "owner": "p", "epoch": 1}).version == 1


@pytest.mark.parametrize("bad", [*BAD.values(), *FIRST.values(), *STRAY.values()], ids=lambda bad: f"{bad[0][:12]}")
def test_views_are_rebuilt_over_a_bad_row(
    admin: psycopg.Connection[dict[str, object]], superuser: str, begun: Ledger, bad: tuple[str, int, str, bytes]
) -> None:
    """However they are filled, inline, rebuilt alone or together, or followed, they say the same."""
    admin.execute(INSERT, bad)
    begun.plan("T", job="later")
    rows = damaged_rows(admin, 10)
    assert rebuild.compare(admin) == {"job_status": 0, "running_jobs": 0, "told": 0}
    for projections in (PROJECTIONS, *((projection,) for projection in PROJECTIONS)):
        rebuild.rebuild(admin, projections)
        assert damaged_rows(admin, 10) == rows != []
        assert rebuild.compare(admin) == {"job_status": 0, "running_jobs": 0, "told": 0}
    assert follower.follow(admin) == begun.position()


def test_a_child_goes_on_beside_a_damaged_parent_and_sibling(
    admin: psycopg.Connection[dict[str, object]], ledger: Ledger
) -> None:
    """Its own reports are taken; the parent, of which nothing more can be recorded, is left as it is."""
    ledger.plan("T", job="p", end_action="auto", children=[{"job": "p/1", "type": "T"}, {"job": "p/2", "type": "T"}])
    ledger.plan("T", job="q", end_action="auto", children=[{"job": "q/1", "type": "T"}, {"job": "q/2", "type": "T"}])
    admin.execute(INSERT, ("job:p", 2, "job.started.v1", b"junk"))
    admin.execute(INSERT, ("job:q/1", 2, "job.started.v1", b"junk"))

    for job in ("p/1", "p/2", "q/2"):
        assert ledger.succeed(job).version == 2
    assert (ledger.job("p").phase, ledger.job("q").phase) == ("planned", "planned")
    assert ledger.cancel("q").version == 2
    assert [(job.job, job.flags) for job in ledger.tree("q")] == [
        ("q", ["cancel_requested"]), ("q/1", ["damaged"]), ("q/2", [])]  # fmt: skip


def test_a_topic_that_a_migration_brought_is_of_a_newer_release(
    admin: psycopg.Connection[dict[str, object]], begun: Ledger
) -> None:
    """In a rolling upgrade an older process says that it is too old, and takes no event of a newer one for damage."""
    admin.execute("INSERT INTO ledger.topics (topic) VALUES ('job.telephoned.v1')")
    admin.execute(INSERT, ("job:a", 3, "job.telephoned.v1", b"{}"))

    for ask in (
        lambda: begun.history("a"),
        lambda: list(begun.events()),
        lambda: begun.succeed("a"),
        lambda: begun.search("").page(),
        lambda: rebuild.compare(admin),
    ):
        with pytest.raises(SchemaTooNew, match=r"job\.telephoned\.v1"):
            ask()


@pytest.mark.parametrize("time", ["infinity", "-infinity", "12000-01-01Z", "9999-12-31 23:59:59.999999Z"])
def test_a_time_that_no_calendar_has_makes_no_page_unreadable(
    admin: psycopg.Connection[dict[str, object]], superuser: str, begun: Ledger, time: str
) -> None:
    """It is told as the last, or the first, that can be."""
    admin.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL")
    admin.execute("UPDATE ledger.stored_events SET recorded_at = %s WHERE notification_id = 2", (time,))
    admin.execute("ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER place_append")

    said = begun.history("a")[1].recorded_at
    assert said == (
        datetime(1, 1, 1, tzinfo=UTC) if time == "-infinity" else datetime(10_000 - 1, 12, 31, 23, 59, 59, 999_999, UTC)
    )
    _all_else_goes_on(superuser, begun, 0)
    assert rebuild.compare(admin) == {"job_status": 0, "running_jobs": 0, "told": 0}
