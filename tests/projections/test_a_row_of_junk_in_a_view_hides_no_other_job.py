"""Whoever may write the views may write junk into them; it is told for what it is, and a rebuild mends it."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.errors import IntegrityFailure
from ledger.records.importer import Rejected
from projections.inline import rebuild
from tests.store.controls import as_role, look_at

VM = {"type": "vm", "id": "web01", "access": "exclusive"}
WHOLE = '{"job":"a","type":"T","root":"a","phase":"planned","planned_at":"2026-01-01T00:00:00Z","planned_position":1'
POLICIES: list[dict[str, Any]] = [
    {"keep_for": 0.000001, "keep_at_most": 1, "dwell": 0},
    {"keep_for": 3_155_760_000, "keep_at_most": (1 << 63) - 1, "dwell": 1.5},
    {"keep_for": 1_234_567.891, "keep_at_most": 4_096, "dwell": 0.1},
]
JUNK = {
    "no object": "'[]'",
    "a text": "'\"x\"'",
    "an empty object": "'{}'",
    "another job": '\'{"job":"b"}\'',
    "a number for a phase": """'{"job":"a","phase":7,"type":"T","root":"a"}'""",
    "no last event": f"'{WHOLE}}}'",
    "a time that is none": """'{"job":"a","planned_at":"yesterday"}'""",
    "an outcome that is none": f"""'{WHOLE},"outcome":"won"}}'""",
}


@pytest.fixture
def two(ledger: Ledger) -> Ledger:
    """A job, which runs on an entity, and one below another."""
    ledger.plan("T", job="a", entities=[VM])
    ledger.plan("T", job="b", children=[{"job": "b/1", "type": "T"}])
    return ledger


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
def test_a_document_of_junk_is_one_damaged_job(
    two: Ledger, admin: psycopg.Connection[dict[str, Any]], superuser: str, junk: str
) -> None:
    with as_role(superuser, "jobledger_writer") as writer:
        writer.execute(f"UPDATE projections.job_status SET document = {junk} WHERE job = 'a'")

    everything = {job.job: job for job in two.jobs(JobFilter(expired=True))}
    assert list(everything) == ["b/1", "b", "a"]
    assert (everything["a"].flags, everything["b"].flags) == (["damaged"], [])
    assert "projections rebuild" in two.job("a").warnings[0]
    assert [job.job for job in two.tree("b")] == ["b", "b/1"]
    assert [job.flags for job in two.busy("vm/web01").jobs] == [["damaged"]]
    assert two.start("b").disposition == "recorded"
    assert rebuild.compare(admin)["job_status"] == 1
    rebuild.rebuild(admin)
    assert two.job("a").phase == "planned"
    assert rebuild.compare(admin)["job_status"] == 0


@pytest.mark.parametrize("column", ["phase", "end_action", "outcome"])
def test_a_word_that_is_none_keeps_no_other_job_from_recovery(two: Ledger, superuser: str, column: str) -> None:
    with as_role(superuser, "jobledger_writer") as writer:
        writer.execute(f"UPDATE projections.job_status SET {column} = 'strange' WHERE job = 'a'")

    assert [job.job for job in two.unsettled().jobs] == ["b", "b/1"]


@pytest.mark.parametrize("said", [r'"\u0000"', r'"\ud800"', "1e1000000"])
def test_what_jsonb_cannot_hold_is_compared_all_the_same(
    two: Ledger, admin: psycopg.Connection[dict[str, Any]], superuser: str, said: str
) -> None:
    with as_role(superuser, "jobledger_writer") as writer:
        writer.execute("UPDATE projections.job_status SET progress = %s WHERE job = 'a'", (f'{{"percent":{said}}}',))

    assert two.job("b") is not None
    assert rebuild.compare(admin)["job_status"] == 1


def test_junk_in_a_long_job_fails_nobody_who_shares_its_append(ledger: Ledger, superuser: str) -> None:
    """It is not read from its events, so that its row must say what it has come to."""
    ledger.plan("T", job="long")
    for done in range(40):
        ledger.progress("long", done=done)
    ledger._recorder._shelf.clear()
    with as_role(superuser, "jobledger_writer") as writer:
        writer.execute("""UPDATE projections.job_status SET document = '{"job":"long"}' WHERE job = 'long'""")
    lines = [b'{"job":"long","event":"progressed","done":77}', b'{"job":"c","event":"planned","type":"T"}']
    rejected: list[Rejected] = []
    summary = ledger.import_records(lines, on_reject=rejected.append)

    assert (summary.recorded, summary.rejected) == (1, 1)
    assert isinstance(rejected[0].error, IntegrityFailure)
    assert "projections rebuild" in str(rejected[0].error)


@pytest.mark.parametrize(
    "junk",
    [
        """UPDATE projections.job_status SET entities = '[1,null]' WHERE job = 'a'""",
        """UPDATE projections.job_status SET entities = '[{"type":"vm"}]' WHERE job = 'a'""",
        """UPDATE projections.job_status SET retention = '{"keep_for":1e300}' WHERE job = 'a'""",
        r"""UPDATE projections.job_status SET retention = '{"keep_for":"\u0000"}' WHERE job = 'a'""",
        """UPDATE projections.job_status SET retention = '{"keep_at_most":1.5,"dwell":"x"}' WHERE job = 'a'""",
        """UPDATE projections.job_status SET retention = '[]' WHERE job = 'a'""",
        "UPDATE projections.tracking SET position = -9223372036854775808 WHERE view = 'told'",
        "UPDATE history.entries SET seconds = 'NaN'",
        "UPDATE history.jobs SET entities = '[1]'",
    ],
)
def test_junk_in_a_column_fails_no_question(
    two: Ledger, admin: psycopg.Connection[dict[str, Any]], superuser: str, junk: str
) -> None:
    """List, expiry, history and doctor answer for all the others."""
    two.search().page()
    with as_role(superuser, "jobledger_writer") as writer:
        writer.execute(junk)

    assert {job.job for job in two.jobs(JobFilter(expired=True))} == {"a", "b", "b/1"}
    assert {tree.root for tree in two.expiry()} >= {"b"}
    assert len(two.search().page().entries) == 3
    assert look_at(admin)


def test_a_policy_is_read_in_every_form_that_it_has(ledger: Ledger, admin: psycopg.Connection[dict[str, Any]]) -> None:
    """However small or large its numbers are."""
    for n, policy in enumerate(POLICIES):
        ledger.plan("T", job=f"p{n}", retention=policy)
    found = admin.execute("SELECT keep_for, keep_at_most, dwell FROM projections.job_expiry ORDER BY root").fetchall()
    assert [tuple(row.values()) for row in found] == [
        (timedelta(seconds=it["keep_for"]), it["keep_at_most"], timedelta(seconds=it["dwell"])) for it in POLICIES
    ]
