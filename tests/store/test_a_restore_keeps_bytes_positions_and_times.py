import subprocess
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.service.embedded.binaries import binaries
from ledger.store.connection import connect
from projections.inline import rebuild
from tests.store.controls import rows


def _run(program: str, *words: str, said: bytes = b"") -> bytes:
    # A restore by a newer pg_restore than the server is told of settings that this does not know, and goes on.
    words = (str(binaries() / program), *words)
    return subprocess.run(words, input=said, capture_output=True, check=program == "pg_dump").stdout


def _rows(conninfo: str) -> list[dict[str, Any]]:
    with psycopg.connect(conninfo) as connection:
        return rows(connection)


def test_a_dump_comes_back_as_it_was(superuser: str, ledger: Ledger, empty_database: str) -> None:
    """A dump of the whole database is the same ledger, and goes on where it ended."""
    ledger.plan("T", job="a", children=[{"type": "U", "job": "a/b"}])
    ledger.start("a/b")
    dumped = _run("pg_dump", "--format=custom", superuser)

    _run("pg_restore", f"--dbname={empty_database}", said=dumped)

    assert _rows(empty_database) == _rows(superuser)
    writer = make_conninfo(empty_database, options="-c role=jobledger_writer")
    with assemble(writer) as restored:
        assert restored.succeed("a/b").position == 4
    with connect(empty_database) as connection:
        assert not any(rebuild.compare(connection).values())


def test_rows_that_an_owner_copies_keep_what_they_have(superuser: str, ledger: Ledger, second: str) -> None:
    """The guards do not bind the owner of the events: positions, times and order are those of the file."""
    ledger.plan("T", job="a")
    ledger.start("a")
    ledger.plan("T", job="b")
    columns = "originator_id, originator_version, topic, state, notification_id, recorded_at"
    owner = make_conninfo("", **{**conninfo_to_dict(second), "options": None})
    with (
        psycopg.connect(superuser) as source,
        psycopg.connect(owner) as target,
        source.cursor().copy(
            f"COPY (SELECT {columns} FROM ledger.stored_events ORDER BY notification_id DESC) TO STDOUT"
        ) as lines,
        target.cursor().copy(f"COPY ledger.stored_events ({columns}) FROM STDIN") as copy,
    ):
        for line in lines:
            copy.write(line)

    assert _rows(owner) == _rows(superuser)
    with assemble(second) as restored:
        assert restored.plan("T", job="c").position == 4
