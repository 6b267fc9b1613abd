from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.service.cli.conftest import environment, execute


def _is_one_sentence(text: str) -> bool:
    return text.startswith("jobledger: ") and text.count("\n") == 1


def test_an_unreachable_database(tmp_path: Path) -> None:
    done = execute(("show", "a"), "", environment(f"host={tmp_path} port=1"))

    assert done.code == 69
    assert _is_one_sentence(done.err)
    assert "does not answer" in done.err


def test_a_database_without_a_ledger(empty_database: str) -> None:
    done = execute(("show", "a"), "", environment(empty_database))

    assert done.code == 69
    assert "run jobledger migrate" in done.err
    assert execute(("migrate", "--check"), "", environment(empty_database)).code == 69
    assert execute(("migrate",), "", environment(empty_database)).code == 0
    assert execute(("migrate", "--check"), "", environment(empty_database)).code == 0
    assert execute(("show", "a"), "", environment(empty_database)).code == 4


def test_a_database_of_a_newer_release(superuser: str, conninfo: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("INSERT INTO ledger.migrations VALUES ('ledger', 9999, 'future', 'x')")

    done = execute(("show", "a"), "", environment(conninfo))

    assert done.code == 69
    assert "newer release" in done.err


def test_a_role_that_may_not_write(superuser: str) -> None:
    reader = make_conninfo(superuser, options="-c role=jobledger_reader")

    done = execute(("record", '{"job":"a","event":"planned","type":"T"}'), "", environment(reader))

    assert done.code == 69
    assert "lacks EXECUTE" in done.err
    assert execute(("list",), "", environment(reader)).code == 0


def test_a_database_that_is_not_there(superuser: str) -> None:
    done = execute(("list",), "", environment(make_conninfo(superuser, dbname="nowhere")))

    assert done.code == 69
    assert "no such database" in done.err


def test_unsafe_settings_must_be_allowed_by_name(conninfo: str) -> None:
    unsafe = make_conninfo(conninfo, options="-c role=jobledger_writer -c synchronous_commit=off")

    done = execute(("list",), "", environment(unsafe))
    allowed = execute(("list",), "", environment(unsafe, JOBLEDGER_ALLOW_UNSAFE="synchronous_commit"))

    assert done.code == 69
    assert "synchronous_commit = off" in done.err
    assert allowed.code == 0


@pytest.mark.parametrize("data", ["file", "missing/../file"])
def test_a_data_folder_that_is_a_file(tmp_path: Path, data: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "missing").mkdir()

    done = execute(("list",), "", environment(None, JOBLEDGER_DATA=str(tmp_path / data)))

    assert done.code == 69
    assert _is_one_sentence(done.err)


@pytest.mark.parametrize(
    "dsn",
    [
        "nonsense",
        "host='s3cret",
        "=s3cret",
        "password=my s3cret",
        "postgresql://u:s3cret@[",
        "postgresql://u:s3cret@h/?x",
    ],
)
def test_what_names_no_database_is_told_without_what_it_says(dsn: str) -> None:
    """A password may be in it."""
    done = execute(("list",), "", environment(dsn))

    assert done.code == 2
    assert _is_one_sentence(done.err)
    assert "JOBLEDGER_DSN" in done.err
    assert "s3cret" not in done.err


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_text_is_that_of_every_language_whatever_the_client_says(conninfo: str, encoding: str) -> None:
    env = environment(make_conninfo(conninfo, client_encoding=encoding))

    assert execute(("record", '{"job":"漢","event":"planned","type":"T"}'), "", env).code == 0
    assert "漢" in execute(("show", "漢"), "", env).out
