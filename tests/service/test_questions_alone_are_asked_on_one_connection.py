from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import DatabaseAway, SchemaMissing
from ledger.service.asking import open_questions
from ledger.service.embedded import EmbeddedServer
from ledger.service.settings import PG_VARIABLES
from tests.service.cli.conftest import on

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
CONNECTIONS = f"SELECT count(*) {OTHERS}"
END_OTHERS = f"SELECT pg_terminate_backend(pid) {OTHERS}"


def test_they_answer_as_the_ledger_does(ledger: Ledger, conninfo: str) -> None:
    ledger.plan("T", job="j1", entities=[on("vm/a")])
    ledger.start("j1")

    with open_questions(conninfo) as questions:
        assert questions.job("j1").position == ledger.job("j1").position == questions.reached() == ledger.position()
        assert questions.busy("vm/a").jobs[0].job == questions.tree("j1")[0].job == next(questions.jobs()).job == "j1"


def test_one_connection_serves_and_is_given_back(conninfo: str, superuser: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as admin:
        with open_questions(conninfo) as questions:
            assert list(questions.jobs()) == []
            assert admin.execute(CONNECTIONS).fetchone() == (1,)
        for _ in range(100):  # the server ends a session after the client has left it
            if admin.execute(CONNECTIONS).fetchone() == (0,):
                return
            admin.execute("SELECT pg_sleep(0.05)")
        pytest.fail("the connection is still there")


def test_a_connection_that_is_lost_is_told_in_our_words(conninfo: str, superuser: str) -> None:
    with open_questions(conninfo) as questions:
        with psycopg.connect(superuser, autocommit=True) as admin:
            admin.execute(END_OTHERS)
        with pytest.raises(DatabaseAway):
            questions.job("j1")


def test_a_database_without_a_ledger_is_refused(empty_database: str) -> None:
    with pytest.raises(SchemaMissing), open_questions(empty_database):
        pass


def test_the_embedded_database_starts_and_migrates_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOBLEDGER_DSN", *PG_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JOBLEDGER_DATA", str(tmp_path / "pg"))
    try:
        for _ in range(2):  # made, then found
            with open_questions() as questions:
                assert questions.reached() == 0
    finally:
        EmbeddedServer(tmp_path / "pg").stop()
