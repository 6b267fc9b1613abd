import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ledger.appending.recorder import SQL as APPENDING
from ledger.store.connection import configure, connect
from ledger.store.statements import SQL as STORE_SQL
from projections.inline import rebuild
from projections.inline.recalled import _RECALL
from projections.queries.now import BUSY_ON_ONE, BUSY_ON_SEVERAL
from projections.statements import INLINE, QUERIES
from tests.conftest import _database
from tests.projections.lopsided import fill, read_by

SQL = {**INLINE, **QUERIES, **APPENDING}
S7 = {"type": "disk", "id": "s7"}
HOT = {"type": "disk", "id": "hot"}
ANY_ACCESS = {"accesses": "{exclusive,shared,none}", "besides": None}
COUNT = {"type": "disk", "id": "s7", "accesses": '["exclusive","shared"]', "root": "", "job_type": None}
OF_FEW: dict[str, tuple[str, dict[str, Any]]] = {
    "some children": (SQL["select_some_children"], {"parents": '["s7","s8"]', "at_most": 17}),
    "open children": (SQL["select_open_children"], {"parent": "s7", "at_most": 9}),
    "a child": (SQL["select_has_child"], {"parent": "s7"}),
    "a family": (SQL["select_family"], {"parent": "s7", "spoken_of": '["s7/1"]', "at_most": 100}),
    "unsettled": (SQL["select_unsettled_children"], {"parent": "s7", "besides": ["s7/1"]}),
    "left to cancel": (SQL["select_left_below"], {"jobs": '["s7"]', "event": "cancel_requested", "at_most": None}),
    "left to expire": (SQL["select_left_below"], {"jobs": '["s7"]', "event": "expired", "at_most": 501}),
    "tree": (SQL["select_tree"], {"job": "s7"}),
    "roll up": (SQL["select_roll_up"], {"job": "s7"}),
    "bound": (SQL["select_bound"], {"names": '[{"executor":"x","external_id":"es7/3"}]'}),
    "show": (SQL["select_job"], {"job": "s7"}),
    "documents": (SQL["select_documents"], {"jobs": ["s7", "s8/1"]}),
    "recall": (_RECALL, {"jobs": '["s7","s8/1"]'}),
    "roots": (SQL["select_roots"], {"jobs": ["s7/1"]}),
    "open intervals": (SQL["select_open_intervals"], {"jobs": ["s7/2"]}),
    "holders": (SQL["select_holders"], {"demands": json.dumps([S7 | {"access": "exclusive"}]), "at_most": 17}),
    "present": (SQL["select_present"], {"counted": json.dumps([S7 | {"job_type": "T"}]), "at_most": 17}),
    "a crowd": (SQL["select_crowd"], COUNT | {"spoken_of": '["s7/2"]', "at_most": 100}),
    "a crowd of a type": (SQL["select_crowd"], COUNT | {"spoken_of": "[]", "at_most": 100, "job_type": "T"}),
    "busy": (BUSY_ON_ONE, ANY_ACCESS | S7),
    "busy on several": (BUSY_ON_SEVERAL, ANY_ACCESS | {"entities": json.dumps([S7, {"type": "disk", "id": "s8"}])}),
    "streams": (STORE_SQL["select_streams"], {"after": '{"job:few":0}', "limit": 17}),
    "events": (SQL["select_positions"], {"streams": ["job:few"], "versions": [1]}),
}
OF_MANY: dict[str, tuple[str, dict[str, Any]]] = {
    "some children": (SQL["select_some_children"], {"parents": '["big"]', "at_most": 17}),
    "open children": (SQL["select_open_children"], {"parent": "big", "at_most": 4}),
    "a child": (SQL["select_has_child"], {"parent": "big"}),
    "unsettled": (SQL["select_unsettled_children"], {"parent": "big", "besides": ["big/2"]}),
    "holders": (SQL["select_holders"], {"demands": json.dumps([HOT | {"access": "exclusive"}]), "at_most": 17}),
    "present": (SQL["select_present"], {"counted": json.dumps([HOT | {"job_type": "T"}]), "at_most": 17}),
    "a crowd of the own tree": (
        SQL["select_crowd"],
        COUNT | HOT | {"root": "big", "spoken_of": "[]", "at_most": 100},
    ),
    "streams": (STORE_SQL["select_streams"], {"after": '{"job:many":0}', "limit": 17}),
}
ROWS_MAX = 100  # each name is borne by ten, or read only so far


@pytest.fixture(scope="module")
def lopsided(server: str, template: str) -> Iterator[str]:
    with _database(server, template) as made:
        fill(made)
        with psycopg.connect(made) as connection:
            connection.execute(
                "INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state) "
                "SELECT 'job:many', n, 'job.progressed.v1', '{}'::bytea FROM generate_series(1, 50000) AS n "
                "UNION ALL SELECT 'job:few', 1, 'job.planned.v1', '{}'::bytea"
            )
        yield made


@pytest.fixture
def session(lopsided: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(lopsided) as connection:
        configure(connection)
        yield connection


def _scanned(session: psycopg.Connection[Any]) -> dict[str, tuple[int, int]]:
    """The questions that go through a table, or read more than they may."""
    asked = [("few", name, *each) for name, each in OF_FEW.items()]
    asked += [("many", name, *each) for name, each in OF_MANY.items()]
    found = {
        f"{name} of {size}": read_by(session, statement, parameters) for size, name, statement, parameters in asked
    }
    return {name: read for name, read in found.items() if read[0] or read[1] > ROWS_MAX}


def test_a_name_that_most_bear_spoils_no_plan(session: psycopg.Connection[Any]) -> None:
    """Before and after ANALYZE whoever asks by a name goes by an index, and reads no more than bears it or is asked."""
    assert _scanned(session) == {}
    session.execute("ANALYZE")
    assert _scanned(session) == {}


def test_what_the_planner_would_expect_by_itself_is_found_out(session: psycopg.Connection[Any]) -> None:
    """Where it takes each name for as common as all are, it goes through the table for each."""
    with session.transaction(force_rollback=True):
        session.execute("ALTER TABLE projections.job_status ALTER parent RESET (n_distinct)")
        session.execute("ANALYZE projections.job_status")
        assert "tree of few" in _scanned(session)


OPTIONS = """
SELECT attrelid::regclass::text AS relation, attname, attoptions FROM pg_attribute
WHERE attrelid IN ('projections.job_status'::regclass, 'projections.running_jobs'::regclass) AND attoptions IS NOT NULL
ORDER BY 1, 2
"""


def test_a_rebuild_keeps_how_many_values_a_column_is_taken_to_have(superuser: str) -> None:
    with connect(superuser) as admin:
        before = admin.execute(OPTIONS).fetchall()
        assert len(before) == 8
        rebuild.rebuild(admin)
        assert admin.execute(OPTIONS).fetchall() == before
