import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ledger.store.connection import configure, connect
from tests.projections.crowded import check, documents_read

ANY = dict.fromkeys(("phase", "outcome", "type", "root", "parent", "silent_for", "entity_type", "entity_id", "before"))
LIST = ANY | {"expired": False, "active": False, "overdue": False, "limit": 500}
ON_HOT = {"type": "disk", "id": "hot"}
HOT = {"accesses": "{exclusive,shared,none}", "besides": None}
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "busy": ("busy_on_one", HOT | ON_HOT),
    "busy --besides": ("busy_on_one", HOT | ON_HOT | {"accesses": "{exclusive}", "besides": "j403"}),
    "busy on several": ("busy_on_several", HOT | {"entities": json.dumps([ON_HOT, {"type": "disk", "id": "d1"}])}),
    "show": ("select_job", {"job": "j99999"}),
    "list": ("list_all", LIST),
    "list --active": ("list_all", LIST | {"active": True}),
    "list --before": ("list_all", LIST | {"before": 20_000}),
    "list --entity": ("list_touching", LIST | {"entity_type": "disk", "entity_id": "d7"}),
    "tree": ("select_tree", {"job": "j100"}),
    "children that failed": ("list_all", LIST | {"parent": "j100", "outcome": "failed"}),
    "roll up": ("select_roll_up", {"job": "j100"}),
    "due to close": ("select_due_to_close", {"limit": 100}),
    "holders": (
        "select_holders",
        {"demands": json.dumps([ON_HOT | {"access": "exclusive"}]), "at_most": 17},
    ),
    "present": (
        "select_present",
        {"counted": json.dumps([ON_HOT | {"job_type": "T"}]), "at_most": 17},
    ),
    "left below": ("select_left_below", {"jobs": '["j100"]', "event": "expired", "at_most": None}),
    "bound": ("select_bound", {"names": json.dumps([{"executor": "x", "external_id": "e5"}])}),
    "documents": ("select_documents", {"jobs": ["j99999"]}),
    "roots": ("select_roots", {"jobs": ["j99999"]}),
    "open intervals": ("select_open_intervals", {"jobs": ["j99999"]}),
}
ABOUT_ALL_ACTIVE: list[tuple[str, dict[str, Any]]] = [  # how many there are is known only once a table was analysed
    ("select_unsettled", {"executors": ["x"], "external_ids": ["e5"], "tokens": ["t5"]}),
    ("select_owners", {}),
]
NEEDED = [
    ("busy", "running_jobs_open"),
    ("busy on several", "running_jobs_open"),
    ("show", "job_status_pkey"),
    ("open intervals", "running_jobs_pkey"),
    ("list", "job_status_live"),
    ("list --active", "job_status_active"),
    ("list --entity", "running_jobs_past"),
    ("tree", "job_status_parent"),
    ("bound", "job_status_external"),
]


@pytest.fixture
def session(crowded: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(crowded) as connection:
        configure(connection)
        yield connection


def test_questions_never_read_a_whole_table(session: psycopg.Connection[Any]) -> None:
    """Over 100,000 jobs each question goes by an index, before and after the first ANALYZE."""
    assert session.execute("SELECT reltuples FROM pg_class WHERE relname = 'job_status'").fetchall()[0]["reltuples"] < 0
    for statement, parameters in QUESTIONS.values():
        check(session, statement, parameters)

    session.execute("ANALYZE projections.job_status, projections.running_jobs")
    for statement, parameters in [*QUESTIONS.values(), *ABOUT_ALL_ACTIVE]:
        check(session, statement, parameters)


@pytest.mark.parametrize(("question", "index"), NEEDED)
def test_a_question_without_its_index_is_found_out(session: psycopg.Connection[Any], question: str, index: str) -> None:
    table = index.rpartition("_")[0]
    drop = f"DROP INDEX projections.{index}"
    if index.endswith("_pkey"):
        drop = f"ALTER TABLE projections.{table} DROP CONSTRAINT {index}"
    with session.transaction(force_rollback=True):
        session.execute(drop)
        with pytest.raises(AssertionError, match=QUESTIONS[question][0]):
            check(session, *QUESTIONS[question])


@pytest.mark.parametrize(
    ("question", "more", "shown"),
    [("list --entity", {"entity_id": "hot", "limit": 7}, 7), ("holders", {}, 0), ("roll up", {}, 0), ("show", {}, 0)],
)
def test_only_documents_that_are_shown_are_read(
    session: psycopg.Connection[Any], question: str, more: dict[str, Any], shown: int
) -> None:
    """However many jobs a list is chosen from, and however many are counted."""
    statement, parameters = QUESTIONS[question]
    assert documents_read(session, statement, parameters | more) == shown
    assert documents_read(session, "select_job", {"job": "j3"}) == 1
